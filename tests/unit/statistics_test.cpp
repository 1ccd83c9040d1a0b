#include "server/statistics.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

namespace interposed::server {

using std::chrono::microseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST_CASE("a duration falls into the first bucket whose bound it does not exceed", "[server]") {
    CHECK(latency_bucket(nanoseconds(0)) == 0);
    CHECK(latency_bucket(microseconds(5)) == 0);
    CHECK(latency_bucket(microseconds(5) + nanoseconds(1)) == 1);
    CHECK(latency_bucket(microseconds(10)) == 1);
    CHECK(latency_bucket(seconds(10)) == latency_bounds.size() - 1);
    CHECK(latency_bucket(seconds(10) + nanoseconds(1)) == latency_bounds.size());
    CHECK(latency_bucket(nanoseconds::max()) == latency_buckets - 1);
}

TEST_CASE("a clock that went backwards counts as no time at all", "[server]") {
    CHECK(latency_bucket(nanoseconds(-1)) == 0);
}

TEST_CASE("every kind of request and of error has a name of its own", "[server]") {
    CHECK(std::set<std::string>(request_kind_names.begin(), request_kind_names.end()).size() ==
          request_kinds);
    CHECK(std::set<std::string>(error_kind_names.begin(), error_kind_names.end()).size() ==
          error_kinds);
    CHECK(request_kind_names[static_cast<std::size_t>(RequestKind::write_zeroes)] ==
          std::string("write_zeroes"));
    CHECK(request_kind_names[static_cast<std::size_t>(RequestKind::other)] == std::string("other"));
    CHECK(error_kind_names[static_cast<std::size_t>(ErrorKind::no_space)] ==
          std::string("no_space"));
}

TEST_CASE("totals are added number by number", "[server]") {
    KindTotals read;
    read.requests = 3;
    read.bytes = 4096;
    read.errors = {1, 0, 2, 0};
    read.latency_sum = microseconds(30);
    read.latency[latency_bucket(microseconds(7))] = 2;
    read.latency.back() = 1;

    Totals sum;
    sum.kinds[static_cast<std::size_t>(RequestKind::read)] = read;
    Totals other;
    other.kinds[static_cast<std::size_t>(RequestKind::read)] = read;
    other.kinds[static_cast<std::size_t>(RequestKind::trim)].requests = 5;
    sum += other;

    const KindTotals& reads = sum.of(RequestKind::read);
    CHECK(reads.requests == 6);
    CHECK(reads.bytes == 8192);
    CHECK(reads.all_errors() == 6);
    CHECK(reads.errors[static_cast<std::size_t>(ErrorKind::no_space)] == 4);
    CHECK(reads.latency_sum == microseconds(60));
    CHECK(reads.latency[1] == 4);
    CHECK(reads.latency.back() == 2);
    CHECK(sum.of(RequestKind::trim).requests == 5);
    CHECK(sum.of(RequestKind::write).requests == 0);
}

} // namespace interposed::server
