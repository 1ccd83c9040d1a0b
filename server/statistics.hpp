#pragma once

#include "devices/latency.hpp"

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

using devices::latency_bounds;
using devices::latency_bucket;
using devices::latency_buckets;

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
