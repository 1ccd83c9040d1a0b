#include "devices/counters.hpp"

#include <cerrno>

namespace interposed::devices {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::atomic<unsigned> last_number{0};

/// Zero until it is asked for: so it needs no guard each time.
thread_local unsigned number_of_thread = 0;

unsigned this_thread() {
    if (number_of_thread == 0)
        number_of_thread = last_number.fetch_add(1, relaxed) + 1;
    return number_of_thread;
}

} // namespace

Counters::Shard& Counters::mine() {
    return shards_[this_thread() % shards_.size()];
}

void Counters::count_cached(std::uint64_t bytes) {
    Shard& shard = mine();
    shard.cached_reads.fetch_add(1, relaxed);
    shard.cached_bytes.fetch_add(bytes, relaxed);
}

void Counters::count(OpKind kind, std::uint64_t bytes, int error, Clock::duration latency,
                     bool waited_for) {
    Shard& shard = mine();
    if (waited_for)
        shard.ended.fetch_add(1, relaxed);
    Kind& to = shard.kinds[static_cast<std::size_t>(kind)];
    const auto ns = std::chrono::nanoseconds(latency);
    to.requests.fetch_add(1, relaxed);
    to.bytes.fetch_add(bytes, relaxed);
    to.latency_sum_ns.fetch_add(static_cast<std::uint64_t>(ns.count()), relaxed);
    to.latency[latency_bucket(ns)].fetch_add(1, relaxed);
    if (error == ENOSPC || error == EDQUOT)
        to.no_space_errors.fetch_add(1, relaxed);
    else if (error != 0)
        to.io_errors.fetch_add(1, relaxed);
}

DeviceTotals Counters::totals() const {
    DeviceTotals all;
    std::uint64_t begun = 0;
    std::uint64_t ended = 0;
    for (const Shard& shard : shards_) {
        ended += shard.ended.load(relaxed); // before `begun`: never more have ended than begun
        begun += shard.begun.load(relaxed);
        all.cached_reads += shard.cached_reads.load(relaxed);
        OpTotals& reads = all.kinds[static_cast<std::size_t>(OpKind::read)];
        reads.requests += shard.cached_reads.load(relaxed);
        reads.bytes += shard.cached_bytes.load(relaxed);
        for (std::size_t i = 0; i < op_kinds; ++i) {
            const Kind& from = shard.kinds[i];
            OpTotals& to = all.kinds[i];
            to.requests += from.requests.load(relaxed);
            to.bytes += from.bytes.load(relaxed);
            to.io_errors += from.io_errors.load(relaxed);
            to.no_space_errors += from.no_space_errors.load(relaxed);
            to.latency_sum += std::chrono::nanoseconds(from.latency_sum_ns.load(relaxed));
            for (std::size_t j = 0; j < latency_buckets; ++j)
                to.latency[j] += from.latency[j].load(relaxed);
        }
    }
    all.in_flight = begun > ended ? begun - ended : 0;
    return all;
}

} // namespace interposed::devices
