#pragma once

#include "bench/histogram.hpp"
#include "bench/wire.hpp"

#include <cstdint>

namespace interposed::bench {

/// What one connection has had answered. Latency is from the call that sends a request to the
/// return of the call that receives the last of its reply.
struct Tally {
    Histogram latency; ///< of reads and writes, nanoseconds
    Histogram flush_latency;
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;
    std::uint64_t bytes = 0;

    void count(const Request& request, std::uint64_t latency_ns) {
        if (request.command == Command::flush) {
            flush_latency.record(latency_ns);
            return;
        }
        latency.record(latency_ns);
        ++(request.command == Command::read ? reads : writes);
        bytes += request.length;
    }

    void add(const Tally& other) {
        latency.add(other.latency);
        flush_latency.add(other.flush_latency);
        reads += other.reads;
        writes += other.writes;
        bytes += other.bytes;
    }

    [[nodiscard]] std::uint64_t flushes() const { return flush_latency.count(); }
    [[nodiscard]] std::uint64_t requests() const { return reads + writes + flushes(); }
};

} // namespace interposed::bench
