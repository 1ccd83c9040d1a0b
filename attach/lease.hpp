#pragma once

#include "devices/file_descriptor.hpp"

#include <optional>
#include <string>
#include <utility>

namespace interposed::attach {

/// The right to serve a kernel device: a write lock of an open file description on
/// /run/interposed/attachments/IDENTIFIER.lease. Of two servers that know of the same attachment
/// only one has it, so a server that hangs cannot wake up beside its successor and write what was
/// written anew since.
///
/// The lock ends with the last reference to the description: registered with every io_uring, it
/// outlives a killed process for as long as a write of its is in the kernel.
class Lease {
public:
    /// nullopt: another server has it. Throws std::runtime_error, naming the file.
    static std::optional<Lease> take(const std::string& identifier);

    [[nodiscard]] int fd() const { return fd_.get(); }

    static std::string path_of(const std::string& identifier);
    /// What the holder wrote into it: "pid 12"; empty if it cannot be read.
    static std::string holder_of(const std::string& identifier);

private:
    explicit Lease(devices::FileDescriptor fd) : fd_(std::move(fd)) {}
    devices::FileDescriptor fd_;
};

} // namespace interposed::attach
