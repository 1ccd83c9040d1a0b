#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>

namespace interposed::devices {

/// The upper bounds of the latency histograms' buckets; above the last there is one more.
inline constexpr std::array<std::chrono::nanoseconds, 20> latency_bounds = [] {
    using std::chrono::microseconds;
    using std::chrono::milliseconds;
    return std::array<std::chrono::nanoseconds, 20>{
        microseconds(5),    microseconds(10),   microseconds(25),   microseconds(50),
        microseconds(100),  microseconds(250),  microseconds(500),  milliseconds(1),
        microseconds(2500), milliseconds(5),    milliseconds(10),   milliseconds(25),
        milliseconds(50),   milliseconds(100),  milliseconds(250),  milliseconds(500),
        milliseconds(1000), milliseconds(2500), milliseconds(5000), milliseconds(10000)};
}();
inline constexpr std::size_t latency_buckets = latency_bounds.size() + 1;

/// The bucket a duration falls into.
inline std::size_t latency_bucket(std::chrono::nanoseconds duration) {
    const auto* const bound = std::ranges::lower_bound(latency_bounds, duration);
    return static_cast<std::size_t>(bound - latency_bounds.begin());
}

} // namespace interposed::devices
