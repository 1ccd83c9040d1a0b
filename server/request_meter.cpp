#include "server/request_meter.hpp"

#include <bit>
#include <utility>

namespace interposed::server {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

/// Beyond that the oldest are taken to be sent: nobody keeps so many replies back.
constexpr std::size_t most_late = 1024;

} // namespace

KindTotals KindCounters::totals() const {
    KindTotals now;
    now.requests = requests.load(relaxed);
    now.bytes = bytes.load(relaxed);
    for (std::size_t i = 0; i < error_kinds; ++i)
        now.errors[i] = errors[i].load(relaxed);
    now.latency_sum = std::chrono::nanoseconds(latency_sum_ns.load(relaxed));
    for (std::size_t i = 0; i < latency_buckets; ++i)
        now.latency[i] = latency[i].load(relaxed);
    return now;
}

ExportStatistics::ExportStatistics(unsigned loops) : shards_(loops) {}

Totals ExportStatistics::totals() const {
    Totals all;
    for (const Shard& shard : shards_) {
        for (std::size_t i = 0; i < request_kinds; ++i)
            all.kinds[i] += shard.kinds[i].totals();
    }
    return all;
}

RequestKind kind_of(protocol::Command command) {
    using protocol::Command;
    switch (command) {
    case Command::read:
        return RequestKind::read;
    case Command::write:
        return RequestKind::write;
    case Command::flush:
        return RequestKind::flush;
    case Command::trim:
        return RequestKind::trim;
    case Command::write_zeroes:
        return RequestKind::write_zeroes;
    case Command::cache:
        return RequestKind::cache;
    case Command::block_status:
        return RequestKind::block_status;
    default:
        return RequestKind::other;
    }
}

void RequestMeter::answered(RequestKind kind, std::uint64_t bytes, Clock::time_point since) {
    if (late_.size() == most_late)
        sent(Clock::now());
    late_.push_back({kind, bytes, since});
    unsent_ |= late_unsent;
}

void RequestMeter::failed(RequestKind kind, ErrorKind why) {
    if (into_ != nullptr)
        into_->kinds[static_cast<std::size_t>(kind)]
            .errors[static_cast<std::size_t>(why)]
            .fetch_add(1, relaxed);
}

void RequestMeter::sent(Clock::time_point now) {
    for (unsigned kinds = unsent_ & (late_unsent - 1); kinds != 0; kinds &= kinds - 1) {
        const auto kind = static_cast<unsigned>(std::countr_zero(kinds));
        add(static_cast<RequestKind>(kind), std::exchange(groups_[kind], {}), now - received_at_);
    }
    if ((unsent_ & late_unsent) != 0) {
        for (const Late& each : late_)
            add(each.kind, {1, each.bytes}, now - each.since);
        late_.clear();
    }
    unsent_ = 0;
}

void RequestMeter::add(RequestKind kind, const Group& group, Clock::duration latency) {
    if (into_ == nullptr)
        return;
    KindCounters& counters = into_->kinds[static_cast<std::size_t>(kind)];
    const auto ns = std::chrono::nanoseconds(latency);
    counters.requests.fetch_add(group.requests, relaxed);
    counters.bytes.fetch_add(group.bytes, relaxed);
    counters.latency_sum_ns.fetch_add(static_cast<std::uint64_t>(ns.count()) * group.requests,
                                      relaxed);
    counters.latency[latency_bucket(ns)].fetch_add(group.requests, relaxed);
}

} // namespace interposed::server
