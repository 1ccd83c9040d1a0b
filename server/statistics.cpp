#include "server/statistics.hpp"

#include <numeric>

namespace interposed::server {

const std::array<const char*, request_kinds> request_kind_names = {
    "read", "write", "flush", "trim", "write_zeroes", "cache", "block_status", "other"};

const std::array<const char*, error_kinds> error_kind_names = {"refused", "io", "no_space",
                                                               "other"};

KindTotals& KindTotals::operator+=(const KindTotals& other) {
    requests += other.requests;
    bytes += other.bytes;
    for (std::size_t i = 0; i < errors.size(); ++i)
        errors[i] += other.errors[i];
    latency_sum += other.latency_sum;
    for (std::size_t i = 0; i < latency.size(); ++i)
        latency[i] += other.latency[i];
    return *this;
}

std::uint64_t KindTotals::all_errors() const {
    return std::accumulate(errors.begin(), errors.end(), std::uint64_t{0});
}

Totals& Totals::operator+=(const Totals& other) {
    for (std::size_t i = 0; i < kinds.size(); ++i)
        kinds[i] += other.kinds[i];
    return *this;
}

} // namespace interposed::server
