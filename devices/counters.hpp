#pragma once

#include "devices/latency.hpp"
#include "devices/operation.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace interposed::devices {

inline constexpr std::size_t op_kinds = 7;

/// What was done with a device by one kind of operation, at one moment.
struct OpTotals {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    std::uint64_t io_errors = 0;
    std::uint64_t no_space_errors = 0;
    std::chrono::nanoseconds latency_sum{};
    std::array<std::uint64_t, latency_buckets> latency{}; ///< not cumulative
};

struct DeviceTotals {
    std::array<OpTotals, op_kinds> kinds; ///< by OpKind
    std::uint64_t cached_reads = 0;       ///< are among the reads, but not in their latency
    std::uint64_t in_flight = 0;
};

/// Counts what is done with a device. Thread-safe; threads share few of the numbers they write.
class Counters {
public:
    using Clock = std::chrono::steady_clock;

    /// What the page cache answered is counted, not timed: a clock would cost more than it tells.
    void count_cached(std::uint64_t bytes);
    /// `waited_for`: begun() was called for it.
    void count(OpKind kind, std::uint64_t bytes, int error, Clock::duration latency,
               bool waited_for);
    void begun() { mine().begun.fetch_add(1, std::memory_order_relaxed); }

    [[nodiscard]] DeviceTotals totals() const;

private:
    struct Kind {
        std::atomic<std::uint64_t> requests{0};
        std::atomic<std::uint64_t> bytes{0};
        std::atomic<std::uint64_t> io_errors{0};
        std::atomic<std::uint64_t> no_space_errors{0};
        std::atomic<std::uint64_t> latency_sum_ns{0};
        std::array<std::atomic<std::uint64_t>, latency_buckets> latency{};
    };
    struct alignas(64) Shard {
        std::atomic<std::uint64_t> cached_reads{0};
        std::atomic<std::uint64_t> cached_bytes{0};
        std::atomic<std::uint64_t> begun{0};
        std::atomic<std::uint64_t> ended{0};
        std::array<Kind, op_kinds> kinds;
    };

    Shard& mine();

    std::array<Shard, 4> shards_;
};

} // namespace interposed::devices
