#pragma once

#include <chrono>
#include <cstdint>

namespace interposed::control {

/// What the kernel says of this process. Zero: it does not say.
struct Process {
    std::uint64_t resident_memory = 0; ///< bytes
    std::uint64_t virtual_memory = 0;  ///< bytes
    std::uint64_t open_fds = 0;
    std::uint64_t max_fds = 0;
    std::uint64_t threads = 0;
    std::chrono::nanoseconds cpu{};
    std::chrono::nanoseconds start_time{}; ///< since 1970
};

Process measure_process();

} // namespace interposed::control
