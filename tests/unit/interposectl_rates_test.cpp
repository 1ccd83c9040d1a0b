#include "interposectl/errors.hpp"
#include "interposectl/rates.hpp"
#include "interposectl/top.hpp"

#include <catch2/catch.hpp>

using namespace interposed::ctl;

namespace {

Json kind(std::uint64_t requests, std::uint64_t bytes, std::uint64_t errors, double latency_s,
          std::uint64_t timed) {
    return {{"requests", requests},
            {"bytes", bytes},
            {"errors", errors},
            {"latency_s_sum", latency_s},
            {"latency", Json::array({timed, 0U})}};
}

Json export_with(const std::string& name, Json kinds) {
    return {{"name", name},
            {"generation", 1U},
            {"connections", 2U},
            {"in_flight", 17U},
            {"kinds", std::move(kinds)}};
}

Json statistics(double uptime_s, Json exports, Json devices = Json::array()) {
    return {{"time", 1000 + uptime_s},
            {"uptime_s", uptime_s},
            {"exports", std::move(exports)},
            {"devices", std::move(devices)},
            {"server", {{"connections", 6U}}}};
}

} // namespace

TEST_CASE("rates are what was done between two moments, by the second", "[interposectl]") {
    const Json before = statistics(10, {export_with("v", {{"read", kind(100, 409600, 1, 1.0, 100)},
                                                          {"write", kind(0, 0, 0, 0, 0)},
                                                          {"flush", kind(5, 0, 0, 0.5, 5)},
                                                          {"trim", kind(1, 4096, 0, 0.0, 1)}})});
    const Json now = statistics(12, {export_with("v", {{"read", kind(300, 1228800, 4, 1.5, 300)},
                                                       {"write", kind(10, 10240, 0, 0.1, 10)},
                                                       {"flush", kind(7, 0, 0, 0.9, 7)},
                                                       {"trim", kind(3, 8192, 0, 0.0, 3)}})});

    const Interval interval = compare(before, now);

    CHECK(interval.seconds == 2);
    CHECK(interval.uptime_s == 12);
    CHECK(interval.connections == 6);
    REQUIRE(interval.exports.size() == 1);
    const Activity& done = interval.exports[0];
    CHECK(done.name == "v");
    CHECK(done.connections == 2);
    CHECK(done.in_flight == 17);
    CHECK(done.read.requests_per_s == 100);
    CHECK(done.read.bytes_per_s == 409600);
    CHECK(done.read.latency_ms.value() == Approx(2.5));
    CHECK(done.write.requests_per_s == 5);
    CHECK(done.write.latency_ms.value() == Approx(10));
    CHECK(done.other.requests_per_s == 2);
    CHECK(done.errors == 3);
}

TEST_CASE("nothing done has rates of zero and no latency", "[interposectl]") {
    const Json same = statistics(10, {export_with("v", {{"read", kind(9, 9, 0, 1, 9)}})});

    const Activity idle = compare(same, same).exports.at(0); // also of no time at all

    CHECK(idle.requests_per_s() == 0);
    CHECK(idle.read.bytes_per_s == 0);
    CHECK_FALSE(idle.read.latency_ms);
}

TEST_CASE("an export that is new, or was made anew, began at zero", "[interposectl]") {
    const Json before = statistics(10, {export_with("a", {{"read", kind(500, 500, 0, 1, 500)},
                                                          {"write", kind(1, 1, 0, 1, 1)}})});
    const Json now = statistics(
        11, {export_with("a", {{"read", kind(20, 20, 0, 1, 20)}, {"write", kind(4, 4, 0, 1, 4)}}),
             export_with("b", {{"read", kind(7, 7, 0, 1, 7)}})});

    const Interval interval = compare(before, now);

    CHECK(interval.exports.at(0).read.requests_per_s == 20);
    CHECK(interval.exports.at(0).write.requests_per_s == 4);
    CHECK(interval.exports.at(1).read.requests_per_s == 7);
}

TEST_CASE("a server that began anew counts from its start", "[interposectl]") {
    const Json before = statistics(1000, {export_with("a", {{"read", kind(50, 0, 0, 1, 50)}})});
    const Json now = statistics(2, {export_with("a", {{"read", kind(10, 0, 0, 1, 10)}})});

    const Interval interval = compare(before, now);

    CHECK(interval.seconds == 2);
    CHECK(interval.exports.at(0).read.requests_per_s == 5);
}

TEST_CASE("the latency of a device is that of what it was asked for", "[interposectl]") {
    const auto device = [](const char* identity, Json read) {
        return Json{{"device", "/dev/sdb"},
                    {"identity", identity},
                    {"in_flight", 1U},
                    {"kinds", {{"read", std::move(read)}}}};
    };
    const Json before = statistics(0, Json::array(), {device("8:16", kind(0, 0, 0, 0, 0))});
    // Of a thousand reads the page cache answered 990.
    const Json now = statistics(1, Json::array(), {device("8:16", kind(1000, 0, 0, 0.05, 10))});
    const Json other = statistics(2, Json::array(), {device("8:32", kind(2000, 0, 0, 1, 2000))});

    CHECK(compare(before, now).devices.at(0).read.requests_per_s == 1000);
    CHECK(compare(before, now).devices.at(0).read.latency_ms.value() == Approx(5));
    // Another device under the same path has nothing in common with it.
    CHECK(compare(now, other).devices.at(0).read.requests_per_s == 2000);
}

TEST_CASE("an answer without what the protocol promises is refused by its place",
          "[interposectl]") {
    Json broken = statistics(1, {export_with("a", {{"read", kind(1, 1, 0, 1, 1)}})});
    broken["exports"][0]["kinds"]["read"]["bytes"] = -1;

    CHECK_THROWS_AS(compare(broken, broken), Unreachable);
    CHECK_THROWS_WITH(compare(broken, broken), Catch::Contains("kinds.read.bytes"));
    CHECK_THROWS_WITH(compare(Json::object(), Json::object()), Catch::Contains("result.time"));
}

TEST_CASE("where there is no room for all, the busiest are shown", "[interposectl]") {
    std::vector<Activity> all(4);
    for (std::size_t i = 0; i < all.size(); ++i)
        all[i].name = std::string(1, static_cast<char>('a' + i));
    all[1].read.requests_per_s = 5;
    all[3].other.requests_per_s = 50;

    const auto names = [&](std::size_t most) {
        std::string text;
        for (const Activity& each : busiest(all, most))
            text += each.name;
        return text;
    };

    CHECK(names(4) == "abcd");
    CHECK(names(3) == "dba");
    CHECK(names(1) == "d");
}

TEST_CASE("a block of top has a line for each export", "[interposectl]") {
    Interval interval;
    interval.seconds = 1;
    interval.uptime_s = 7200;
    interval.connections = 3;
    interval.exports.resize(2);
    interval.exports[0].name = "vol0";
    interval.exports[0].connections = 3;
    interval.exports[0].in_flight = 32;
    interval.exports[0].read = {12000, 49.2e6, 0.125};
    interval.exports[0].write = {0.25, 1e6, 1234.5};
    interval.exports[0].errors = 2;

    const std::string text = top_text(interval, false, 10);

    CHECK(text.substr(8) ==
          "  up 2 h 0 min, 3 connections, over 1.0 s\n\n"
          "EXPORT  CONN  DEPTH  READ/S  MB/S     MS  WRITE/S  MB/S    MS  OTHER/S  ERRORS\n"
          "vol0       3     32   12000  49.2  0.125     0.25   1.0  1234        0       2\n"
          "\"\"         0      0       0     0      -        0     0     -        0       0\n");
    CHECK_THAT(top_text(interval, false, 1), Catch::Contains("... 1 less busy ..."));
    CHECK_THAT(top_text(interval, true, 9), Catch::Contains("\nDEVICE"));
}
