#pragma once

#include "fallback/disks.hpp"
#include "fallback/guarded.hpp"

#include <memory>
#include <sys/types.h>

namespace interposed::fallback {

/// A process that serves a volume's disks to its kernel device in place of a server. For whoever
/// has the lease of the attachment, and stays single-threaded: the process has the lease with it,
/// and ends with its parent, however that does.
class StandIn {
public:
    /// Opens the disks. Throws std::runtime_error.
    explicit StandIn(const Guarded& one);
    /// Ends the process: what it has not answered is sent again to whoever comes next.
    ~StandIn();
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;

    /// Starts the process, and gives the kernel its other end, if it does not run or has ended.
    /// Throws std::runtime_error, also where the kernel has not taken it.
    void keep();

private:
    [[nodiscard]] bool runs();
    [[noreturn]] void serve_and_exit(int socket, pid_t parent);

    const Guarded& one_;
    Disks disks_;
    pid_t process_ = -1;
};

} // namespace interposed::fallback
