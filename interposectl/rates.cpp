#include "interposectl/rates.hpp"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace interposed::ctl {
namespace {

/// What one kind of request has counted.
struct Count {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    std::uint64_t errors = 0;
    std::uint64_t timed = 0; ///< requests in the histogram: of a device not those from the cache
    double latency_s = 0;

    Count& operator+=(const Count& more) {
        requests += more.requests;
        bytes += more.bytes;
        errors += more.errors;
        timed += more.timed;
        latency_s += more.latency_s;
        return *this;
    }
    [[nodiscard]] bool is_below(const Count& other) const {
        return requests < other.requests || bytes < other.bytes || errors < other.errors ||
               timed < other.timed;
    }
    /// Only behind is_below(): nothing here is less than in `earlier`.
    [[nodiscard]] Count since(const Count& earlier) const {
        return {requests - earlier.requests, bytes - earlier.bytes, errors - earlier.errors,
                timed - earlier.timed, std::max(0.0, latency_s - earlier.latency_s)};
    }
};

struct Counts {
    Count read;
    Count write;
    Count other;
};

Count count_of(const Fields& kind) {
    const std::vector<std::uint64_t> buckets = kind.numbers("latency");
    return {.requests = kind.number("requests"),
            .bytes = kind.number("bytes"),
            .errors = kind.number("errors"),
            .timed = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0}),
            .latency_s = kind.real("latency_s_sum")};
}

Counts counts_of(const Fields& of) {
    Counts counts;
    for (const auto& [name, kind] : of.members("kinds").items()) {
        const Count count = count_of(Fields(kind, "kinds." + name));
        (name == "read" ? counts.read : name == "write" ? counts.write : counts.other) += count;
    }
    return counts;
}

/// The counts of every export or device of an answer, by its key.
using Known = std::unordered_map<std::string, Counts>;

/// A path can stand for one device and later for another.
std::string key_of(const Fields& each, const char* name) {
    return each.text(name) + (each.has("identity") ? "\n" + each.text("identity") : "");
}

Known known_counts(const Json& list, const char* what, const char* name) {
    Known known;
    for_each_object(list, what,
                    [&](const Fields& each) { known[key_of(each, name)] = counts_of(each); });
    return known;
}

Rate rate_of(const Count& done, double seconds) {
    Rate rate;
    if (seconds > 0) {
        rate.requests_per_s = static_cast<double>(done.requests) / seconds;
        rate.bytes_per_s = static_cast<double>(done.bytes) / seconds;
    }
    if (done.timed > 0)
        rate.latency_ms = done.latency_s * 1e3 / static_cast<double>(done.timed);
    return rate;
}

std::vector<Activity> activities(const Json& before, const Json& now, const char* what,
                                 const char* name, double seconds) {
    const Known earlier = known_counts(before, what, name);
    std::vector<Activity> all;
    for_each_object(now, what, [&](const Fields& each) {
        const Counts counts = counts_of(each);
        const auto found = earlier.find(key_of(each, name));
        Counts base = found == earlier.end() ? Counts() : found->second;
        if (counts.read.is_below(base.read) || counts.write.is_below(base.write) ||
            counts.other.is_below(base.other))
            base = {};
        const Count read = counts.read.since(base.read);
        const Count write = counts.write.since(base.write);
        const Count other = counts.other.since(base.other);
        all.push_back({.name = each.text(name),
                       .connections = each.has("connections") ? each.number("connections") : 0,
                       .in_flight = each.number("in_flight"),
                       .read = rate_of(read, seconds),
                       .write = rate_of(write, seconds),
                       .other = rate_of(other, seconds),
                       .errors = read.errors + write.errors + other.errors});
    });
    return all;
}

Json rate_json(const Rate& rate) {
    return {{"requests_per_s", rate.requests_per_s},
            {"bytes_per_s", rate.bytes_per_s},
            {"latency_ms", rate.latency_ms ? Json(*rate.latency_ms) : Json()}};
}

Json activities_json(const std::vector<Activity>& all, const char* name, bool with_connections) {
    Json list = Json::array();
    for (const Activity& each : all) {
        Json one = {{name, each.name}};
        if (with_connections)
            one["connections"] = each.connections;
        one["in_flight"] = each.in_flight;
        one["read"] = rate_json(each.read);
        one["write"] = rate_json(each.write);
        one["other"] = rate_json(each.other);
        one["errors"] = each.errors;
        list.push_back(std::move(one));
    }
    return list;
}

} // namespace

Interval compare(const Json& before, const Json& now) {
    const Fields first(before, "result");
    const Fields second(now, "result");
    Interval interval;
    interval.time = second.real("time");
    interval.uptime_s = second.real("uptime_s");
    // Not the time of day, which may be set; a server that has begun anew counts from its start.
    interval.seconds = interval.uptime_s - first.real("uptime_s");
    if (interval.seconds < 0)
        interval.seconds = interval.uptime_s;
    interval.connections = second.object("server").number("connections");
    interval.exports = activities(first.list("exports"), second.list("exports"), "exports", "name",
                                  interval.seconds);
    interval.devices = activities(first.list("devices"), second.list("devices"), "devices",
                                  "device", interval.seconds);
    return interval;
}

std::vector<Activity> busiest(std::vector<Activity> all, std::size_t most) {
    if (all.size() <= most)
        return all;
    std::stable_sort(all.begin(), all.end(), [](const Activity& a, const Activity& b) {
        return a.requests_per_s() > b.requests_per_s();
    });
    all.resize(most);
    return all;
}

Json to_json(const Interval& interval, bool with_devices) {
    Json json = {{"time", interval.time},
                 {"interval_s", interval.seconds},
                 {"uptime_s", interval.uptime_s},
                 {"connections", interval.connections},
                 {"exports", activities_json(interval.exports, "name", true)}};
    if (with_devices)
        json["devices"] = activities_json(interval.devices, "device", false);
    return json;
}

} // namespace interposed::ctl
