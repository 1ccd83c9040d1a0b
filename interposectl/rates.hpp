#pragma once

#include "interposectl/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What was done between two moments, from what the server had counted at each.
namespace interposed::ctl {

struct Rate {
    double requests_per_s = 0;
    double bytes_per_s = 0;
    std::optional<double> latency_ms; ///< the mean; absent if nothing was timed
};

/// Of one export, or one device.
struct Activity {
    std::string name;
    std::uint64_t connections = 0; ///< of an export
    std::uint64_t in_flight = 0;
    Rate read;
    Rate write;
    Rate other;               ///< flush, trim and all the rest together
    std::uint64_t errors = 0; ///< a count, not a rate: one is bad enough

    [[nodiscard]] double requests_per_s() const {
        return read.requests_per_s + write.requests_per_s + other.requests_per_s;
    }
};

struct Interval {
    double time = 0; ///< of its end, in Unix seconds
    double seconds = 0;
    double uptime_s = 0;
    std::uint64_t connections = 0;
    std::vector<Activity> exports; ///< in the server's order
    std::vector<Activity> devices;
};

/// Compares two results of `statistics`. What was not there before, and what counts less than
/// before because it was made anew, has begun at zero.
Interval compare(const Json& before, const Json& now);

/// The `most` activities that do most, in their own order if that is all of them.
std::vector<Activity> busiest(std::vector<Activity> all, std::size_t most);

/// For `top --json`.
Json to_json(const Interval& interval, bool with_devices);

} // namespace interposed::ctl
