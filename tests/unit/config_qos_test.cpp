#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string fault_of(const std::string& qos) {
    return report(with_members("\"qos\": " + qos));
}

} // namespace

TEST_CASE("an export has no limits of its own unless it says so", "[config]") {
    const Export found = export_with("\"read_only\": true");
    CHECK_FALSE(found.max_connections);
    CHECK(found.qos == Qos{});
    CHECK(export_with("\"qos\": {}").qos == Qos{});
    CHECK(export_with("\"qos\": {\"client\": {}}").qos == Qos{});
}

TEST_CASE("the connections to an export can be limited", "[config]") {
    CHECK(export_with("\"max_connections\": 1").max_connections == 1U);
    CHECK(export_with("\"max_connections\": 4294967295").max_connections == 4294967295U);
    for (const std::string wrong : {"0", "4294967296", "-1", "1.5", "\"1\""})
        CHECK(report(with_members("\"max_connections\": " + wrong)) ==
              "f:2:20: exports[0].max_connections: want a whole number from 1 to 4294967295, got " +
                  wrong);
}

TEST_CASE("rates and bursts are read, of all clients and of each", "[config]") {
    const Qos qos = export_with(R"("qos": {"iops": 1000, "iops_burst": 50, "bandwidth": "1MiB",
        "bandwidth_burst": 4096, "client": {"iops": 9223372036854775807, "bandwidth": "8s"}})")
                        .qos;
    CHECK(qos.all == RateLimit{1000, 50, 1048576, 4096});
    CHECK(qos.per_client == RateLimit{9223372036854775807, 0, 4096, 0});
}

TEST_CASE("a rate of nothing is refused", "[config]") {
    CHECK(fault_of("{\"iops\": 0}") == "f:2:17: exports[0].qos.iops: want a whole number from 1 to "
                                       "9223372036854775807, got 0");
    CHECK(fault_of("{\"iops\": \"1KiB\"}").find("qos.iops: want a whole number from 1") !=
          std::string::npos);
    CHECK(fault_of("{\"bandwidth\": \"0MiB\"}") ==
          "f:2:22: exports[0].qos.bandwidth: want at least 1 byte; leave \"bandwidth\" out for no "
          "limit, got \"0MiB\"");
    CHECK(fault_of("{\"bandwidth\": 1, \"bandwidth_burst\": 0}")
              .find("qos.bandwidth_burst: want at least 1 byte") != std::string::npos);
    CHECK(fault_of("{\"bandwidth\": \"1MB\"}").find("unknown unit \"MB\"") != std::string::npos);
}

TEST_CASE("a burst without its rate is a fault", "[config]") {
    CHECK(fault_of("{\"bandwidth\": 1,\n\"iops_burst\": 5,\n\"client\": {\"iops\": 1,\n"
                   "\"bandwidth_burst\": 5}}") ==
          "f:3:15: exports[0].qos.iops_burst: \"iops\" is missing, without which \"iops_burst\" "
          "limits nothing\n"
          "f:5:20: exports[0].qos.client.bandwidth_burst: \"bandwidth\" is missing, without which "
          "\"bandwidth_burst\" limits nothing");
}

TEST_CASE("rate limits are objects of known keys", "[config]") {
    CHECK(fault_of("5") == "f:2:8: exports[0].qos: want an object of rate limits, got 5");
    CHECK(fault_of("{\"client\": 5}") ==
          "f:2:19: exports[0].qos.client: want an object of rate limits, got 5");
    CHECK(fault_of("{\"bandwith\": 5,\n\"client\": {\"client\": {}}}") ==
          "f:2:9: exports[0].qos.bandwith: unknown key \"bandwith\" in \"qos\"; did you mean "
          "\"bandwidth\"?\n"
          "f:3:12: exports[0].qos.client.client: unknown key \"client\" in \"client\"; it belongs "
          "in \"qos\"");
    CHECK(report(with_members("\"iops\": 5")) ==
          "f:2:1: exports[0].iops: unknown key \"iops\" in an export; it belongs in \"qos\"");
}
