#pragma once

#include <chrono>
#include <csignal>
#include <ctime>

namespace interposed::volume {

/// While it lives no signal but its own reaches this thread; after the limit that one interrupts
/// whatever the thread waits for in the kernel, again and again, if it can be interrupted.
class Deadline {
public:
    /// Throws std::system_error.
    explicit Deadline(std::chrono::seconds limit);
    ~Deadline();
    Deadline(const Deadline&) = delete;
    Deadline& operator=(const Deadline&) = delete;

private:
    timer_t timer_{};
    sigset_t before_{};
    struct sigaction handler_before_ {};
};

} // namespace interposed::volume
