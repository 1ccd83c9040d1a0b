#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

/// Counting what is done, so cheaply that it is always on.
namespace interposed::server {

enum class RequestKind : std::uint8_t {
    read,
    write,
    flush,
    trim,
    write_zeroes,
    cache,
    block_status,
    other, ///< what is no known command; always an error
};
inline constexpr std::size_t request_kinds = 8;
extern const std::array<const char*, request_kinds> request_kind_names; ///< "read", ...

/// Why requests were answered with an error.
enum class ErrorKind : std::uint8_t { refused, io, no_space, other };
inline constexpr std::size_t error_kinds = 4;
extern const std::array<const char*, error_kinds> error_kind_names;

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
std::size_t latency_bucket(std::chrono::nanoseconds duration);

/// What was done with one kind of request, at one moment.
struct KindTotals {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    std::array<std::uint64_t, error_kinds> errors{};
    std::chrono::nanoseconds latency_sum{};
    std::array<std::uint64_t, latency_buckets> latency{}; ///< not cumulative

    KindTotals& operator+=(const KindTotals& other);
    [[nodiscard]] std::uint64_t all_errors() const;
};

/// Plain numbers, by RequestKind.
struct Totals {
    std::array<KindTotals, request_kinds> kinds;

    [[nodiscard]] const KindTotals& of(RequestKind kind) const {
        return kinds[static_cast<std::size_t>(kind)];
    }
    Totals& operator+=(const Totals& other);
};

} // namespace interposed::server
