#include "control/exposition.hpp"

#include <array>
#include <catch2/catch.hpp>

namespace interposed::control {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using Type = Exposition::Type;

TEST_CASE("quotes, backslashes and newlines are escaped in a label, nothing else", "[control]") {
    CHECK(Exposition::label("export", "vol0") == R"(export="vol0")");
    CHECK(Exposition::label("export", "") == R"(export="")");
    CHECK(Exposition::label("export", "a\"b\\c\nd") == R"(export="a\"b\\c\nd")");
    CHECK(Exposition::label("export", "größe {,} =\t\r") == "export=\"größe {,} =\t\r\"");
}

TEST_CASE("a label is UTF-8 whatever the name was", "[control]") {
    CHECK(Exposition::label("device", "/x\xFF"
                                      "y\xC3") == "device=\"/x\xEF\xBF\xBDy\xEF\xBF\xBD\"");
    CHECK(Exposition::label("device", std::string_view("a\0b", 3)) == "device=\"a\xEF\xBF\xBD"
                                                                      "b\"");
}

TEST_CASE("bounds are written as OpenMetrics wants canonical numbers", "[control]") {
    CHECK(bound_text(microseconds(5)) == "5e-06");
    CHECK(bound_text(microseconds(25)) == "2.5e-05");
    CHECK(bound_text(microseconds(100)) == "0.0001");
    CHECK(bound_text(microseconds(2500)) == "0.0025");
    CHECK(bound_text(seconds(1)) == "1.0");
    CHECK(bound_text(milliseconds(2500)) == "2.5");
    CHECK(bound_text(seconds(10)) == "10.0");
}

TEST_CASE("OpenMetrics names a counter without its suffix, and has units and an end", "[control]") {
    Exposition out(Dialect::openmetrics);
    out.family(Type::counter, "things", "", "All things.");
    out.sample({R"(a="1")", R"(b="2")"}, 3);
    out.family(Type::gauge, "size_bytes", "bytes", "A size.");
    out.sample({}, 18446744073709551615U);
    out.family(Type::info, "build", "", "Which.");
    out.sample({R"(version="1")"}, 1);
    CHECK(std::move(out).finish() == R"(# TYPE things counter
# HELP things All things.
things_total{a="1",b="2"} 3
# TYPE size_bytes gauge
# UNIT size_bytes bytes
# HELP size_bytes A size.
size_bytes 18446744073709551615
# TYPE build info
# HELP build Which.
build_info{version="1"} 1
# EOF
)");
}

TEST_CASE("Prometheus' own text names a counter as its samples", "[control]") {
    Exposition out(Dialect::prometheus);
    out.family(Type::counter, "work_seconds", "seconds", "All work.");
    out.sample(nanoseconds(12'000'000'345));
    out.family(Type::info, "build", "", "Which.");
    out.sample({R"(version="1")"}, 1);
    CHECK(std::move(out).finish() == R"(# TYPE work_seconds_total counter
# HELP work_seconds_total All work.
work_seconds_total 12.000000345
# TYPE build_info gauge
# HELP build_info Which.
build_info{version="1"} 1
)");
}

TEST_CASE("the buckets of a histogram add up to its count", "[control]") {
    Exposition out(Dialect::openmetrics);
    out.histogram_family("wait_seconds", "Waiting.");
    const std::array<std::string, 2> bounds = {"0.5", "1.0"};
    const std::array<std::uint64_t, 3> counts = {4, 0, 2};
    out.histogram(R"(a="1")", bounds, counts, nanoseconds(7'500'000'000));
    CHECK(std::move(out).finish() == R"(# TYPE wait_seconds histogram
# UNIT wait_seconds seconds
# HELP wait_seconds Waiting.
wait_seconds_bucket{a="1",le="0.5"} 4
wait_seconds_bucket{a="1",le="1.0"} 4
wait_seconds_bucket{a="1",le="+Inf"} 6
wait_seconds_count{a="1"} 6
wait_seconds_sum{a="1"} 7.500000000
# EOF
)");
}

TEST_CASE("seconds are exact, and never negative", "[control]") {
    Exposition out(Dialect::prometheus);
    out.family(Type::gauge, "s", "", "S.");
    out.sample(nanoseconds(0));
    out.sample(nanoseconds(1));
    out.sample(nanoseconds(999'999'999));
    out.sample(nanoseconds::max());
    out.sample(nanoseconds(-5));
    CHECK(std::move(out).finish() == "# TYPE s gauge\n# HELP s S.\ns 0.000000000\ns 0.000000001\n"
                                     "s 0.999999999\ns 9223372036.854775807\ns 0.000000000\n");
}

} // namespace interposed::control
