#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace interposed::bench {

inline std::uint64_t nanoseconds(const timespec& time) {
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
           static_cast<std::uint64_t>(time.tv_nsec);
}

inline std::uint64_t nanoseconds(std::chrono::seconds time) {
    return static_cast<std::uint64_t>(time.count()) * 1'000'000'000;
}

/// Monotonic time.
inline std::uint64_t now_ns() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return nanoseconds(now);
}

} // namespace interposed::bench
