#pragma once

#include "devices/operation.hpp"

#include <functional>
#include <memory>

namespace interposed::devices {

/// Threads that carry out one device's blocking operations. They belong to the device, so a
/// stuck one holds up nobody else. Started when there is work, ended after some idle seconds.
/// submit() is thread-safe.
class Workers {
public:
    /// Carries out a chain of operations (linked by `next`) and completes each. The chain has
    /// one member, except that flushes which wait at the same time come together: one sync
    /// serves all of them.
    using Run = std::function<void(Operation* chain)>;

    /// Is handed an operation for which no thread could be had, and completes it.
    using Refuse = std::function<void(Operation& operation)>;

    Workers(unsigned max_threads, Run run, Refuse refuse);
    /// Nothing may be queued or running any more. Waits for the threads to end.
    ~Workers();
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;

    /// Throws nothing.
    void submit(Operation& operation);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
    Refuse refuse_;
};

} // namespace interposed::devices
