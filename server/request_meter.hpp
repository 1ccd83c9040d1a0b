#pragma once

#include "protocol/constants.hpp"
#include "server/statistics.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

namespace interposed::server {

/// A number that one thread at a time writes and any may read. Costs what a plain one costs.
class Published {
public:
    Published& operator+=(std::uint64_t more) {
        value_.store(*this + more, std::memory_order_relaxed);
        return *this;
    }
    Published& operator-=(std::uint64_t less) { return *this += ~less + 1; }
    Published& operator++() { return *this += 1; }
    Published& operator--() { return *this -= 1; }
    operator std::uint64_t() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// What one kind of request has come to. Any thread may add to it and read it.
struct KindCounters {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> bytes{0};
    std::array<std::atomic<std::uint64_t>, error_kinds> errors{};
    std::atomic<std::uint64_t> latency_sum_ns{0};
    std::array<std::atomic<std::uint64_t>, latency_buckets> latency{};

    [[nodiscard]] KindTotals totals() const;
};

/// The counters of an export. Each loop's sessions have a set of their own to add to: what cores
/// write together is slow.
class ExportStatistics {
public:
    struct alignas(64) Shard {
        std::array<KindCounters, request_kinds> kinds;
    };

    explicit ExportStatistics(unsigned loops);

    Shard& shard(unsigned loop) { return shards_[loop % shards_.size()]; }
    [[nodiscard]] Totals totals() const;

    std::atomic<std::uint64_t> connections_ever{0};
    std::atomic<std::uint64_t> throttled{0}; ///< requests that had to wait for a rate limit

private:
    std::vector<Shard> shards_;
};

RequestKind kind_of(protocol::Command command);

/// Counts one session's requests. The clock is read once for what was received together and once
/// for what is sent together: a request's latency is from the one to the other, so with its time
/// in the queue behind others of its batch. Not thread-safe.
class RequestMeter {
public:
    using Clock = std::chrono::steady_clock;

    /// Null: nothing is counted.
    explicit RequestMeter(ExportStatistics::Shard* into) : into_(into) {}

    void received(Clock::time_point now) { received_at_ = now; }
    [[nodiscard]] Clock::time_point received_at() const { return received_at_; }

    /// A request is answered that arrived with the last batch.
    void answered(RequestKind kind, std::uint64_t bytes) {
        Group& group = groups_[static_cast<std::size_t>(kind)];
        ++group.requests;
        group.bytes += bytes;
        unsent_ |= 1U << static_cast<unsigned>(kind);
    }
    /// One that arrived at `since`.
    void answered(RequestKind kind, std::uint64_t bytes, Clock::time_point since);
    /// What is told of as answered ended so.
    void failed(RequestKind kind, ErrorKind why);

    [[nodiscard]] bool has_unsent() const { return unsent_ != 0; }
    /// The replies have left.
    void sent(Clock::time_point now);

private:
    struct Group {
        std::uint64_t requests = 0;
        std::uint64_t bytes = 0;
    };
    struct Late {
        RequestKind kind;
        std::uint64_t bytes;
        Clock::time_point since;
    };

    void add(RequestKind kind, const Group& group, Clock::duration latency);

    ExportStatistics::Shard* const into_;
    Clock::time_point received_at_{};
    std::array<Group, request_kinds> groups_{};
    std::vector<Late> late_;
    static constexpr unsigned late_unsent = 1U << request_kinds;
    unsigned unsent_ = 0; ///< a bit for each kind, and one for what is late
};

} // namespace interposed::server
