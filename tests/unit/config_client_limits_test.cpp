#include "config/config.hpp"
#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string with_limits(const std::string& limits) {
    return "{\"listen\": \"tcp://h\", \"exports\": [{\"name\": \"a\", \"table\": [{\"kind\": "
           "\"linear\", \"device\": \"/dev/sdb\"}]}], \"limits\": " +
           limits + "}";
}

Limits limits_of(const std::string& limits) {
    return parse(with_limits(limits), "f", "/conf").limits;
}

} // namespace

TEST_CASE("limits that are not mentioned have their defaults", "[config]") {
    const Limits limits = limits_of("{}");
    CHECK(limits.connections == 4096);
    CHECK(limits.connections_per_client == 1024);
    CHECK(limits.memory == std::uint64_t{1} << 30);
    CHECK(limits.handshake_timeout_s == 30);
    CHECK(limits.keepalive_s == 60);
}

TEST_CASE("limits are read", "[config]") {
    const Limits limits = limits_of(R"({"connections": 20000, "connections_per_client": 2,
                                        "memory": "256MiB", "handshake_timeout_s": 5,
                                        "keepalive_s": 86400})");
    CHECK(limits.connections == 20000);
    CHECK(limits.connections_per_client == 2);
    CHECK(limits.memory == std::uint64_t{256} << 20);
    CHECK(limits.handshake_timeout_s == 5);
    CHECK(limits.keepalive_s == 86400);
}

TEST_CASE("limits that make no sense are refused with their place", "[config]") {
    CHECK(report(with_limits(R"({"connections": 0})"))
              .find("limits.connections: want a whole "
                    "number from 1 to 1000000") != std::string::npos);
    CHECK(report(with_limits(R"({"connections": 1.5})")).find("limits.connections: want") !=
          std::string::npos);
    CHECK(
        report(with_limits(R"({"memory": "63MiB"})")).find("limits.memory: want at least 64MiB") !=
        std::string::npos);
    CHECK(report(with_limits(R"({"handshake_timeout_s": "30"})")).find("want a whole number") !=
          std::string::npos);
    for (const std::string wrong : {"0", "86401"})
        CHECK(report(with_limits("{\"keepalive_s\": " + wrong + "}"))
                  .find("limits.keepalive_s: want a whole number from 1 to 86400, got " + wrong) !=
              std::string::npos);
    CHECK(report(with_limits(R"({"conections": 5})")).find("\"connections\"") != std::string::npos);
    CHECK(report(with_limits("5")).find("limits: want an object") != std::string::npos);
}
