#pragma once

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace interposed::bench {

/// CPU time, in nanoseconds, these processes and their descendants have used so far, all their
/// threads included, also children that have ended and were waited for. Throws
/// std::runtime_error when one of the processes named is gone.
std::uint64_t cpu_ns_of(const std::vector<pid_t>& processes);

/// CPU time of this process, its threads included.
std::uint64_t own_cpu_ns();

} // namespace interposed::bench
