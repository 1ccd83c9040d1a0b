#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string fault_of(const std::string& attach) {
    return report(with_members("\"attach\": " + attach));
}

} // namespace

TEST_CASE("an export is attached to no device unless it says so", "[config]") {
    CHECK_FALSE(export_with("\"read_only\": true").attach);
    const auto short_form = export_with("\"attach\": \"/dev/nbd12\"").attach;
    REQUIRE(short_form);
    CHECK(short_form->device == "/dev/nbd12");
    CHECK(short_form->connections == 1);
    CHECK(short_form->timeout_s == 5);
    CHECK(short_form->dead_conn_timeout_s == 600);
    CHECK_FALSE(short_form->block_size);
    CHECK(short_form->identifier.empty());
    CHECK(export_with(R"("attach": {"device": "/dev/nbd12"})").attach == short_form);
}

TEST_CASE("all of an attachment can be said, and comes back from its JSON", "[config]") {
    const Export found = export_with(
        R"("attach": {"device": "auto", "connections": 16, "timeout_s": 3600,
           "dead_conn_timeout_s": 86400, "block_size": "4KiB", "identifier": "vg-lv_1.x"},
           "interposed": {"volume": "vol", "uuid": "LVM-\"x", "before": ["0 8 linear 8:1 0"],
           "after": ["0 8 linear 43:0 0"], "since": "2026-01-01T00:00:00Z", "state": "in",
           "fail_open": true}, "claim": "adopted")");
    REQUIRE(found.attach);
    CHECK(found.attach->connections == 16);
    CHECK(found.attach->block_size == 4096U);
    CHECK(found.attach->identifier == "vg-lv_1.x");
    CHECK(found.claim == Claim::adopted);
    REQUIRE(found.interposed);
    CHECK(found.interposed->before == std::vector<std::string>{"0 8 linear 8:1 0"});
    CHECK(found.interposed->fail_open);
    CHECK(parse_export(to_json(found), "f", "/conf") == found);
    CHECK(parse_attach(to_json(*found.attach), "f") == *found.attach);
    CHECK(parse_interposition(to_json(*found.interposed), "f") == *found.interposed);
}

TEST_CASE("what is no nbd device is refused", "[config]") {
    for (const std::string wrong : {"/dev/nbd", "/dev/nbd01", "/dev/nbd0p1", "/dev/nbd65536",
                                    "/dev/sda", "nbd0", "", "/dev/nbd-1", "/dev/nbd0 "})
        CHECK(fault_of("\"" + wrong + "\"") ==
              "f:2:11: exports[0].attach: want \"/dev/nbdN\" or \"auto\", got \"" + wrong + "\"");
    CHECK(fault_of("{}").find("\"device\" is missing") != std::string::npos);
    CHECK(fault_of("7").find("want \"/dev/nbdN\", \"auto\" or an object") != std::string::npos);
}

TEST_CASE("what the kernel could not do with an attachment is refused", "[config]") {
    const auto with = [](const std::string& member) {
        return fault_of(R"({"device": "auto", )" + member + "}");
    };
    CHECK(with("\"connections\": 0").find("from 1 to 16, got 0") != std::string::npos);
    CHECK(with("\"connections\": 17").find("from 1 to 16, got 17") != std::string::npos);
    CHECK(with("\"timeout_s\": 0").find("from 1 to 3600, got 0") != std::string::npos);
    CHECK(with("\"dead_conn_timeout_s\": 86401").find("from 1 to 86400") != std::string::npos);
    for (const std::string wrong : {"0", "513", "8192", "256"})
        CHECK(with("\"block_size\": " + wrong).find("want 512, 1024, 2048 or 4096") !=
              std::string::npos);
    for (const auto& wrong :
         {std::string(), std::string(".hidden"), std::string("a/b"), std::string(65, 'a')})
        CHECK(with("\"identifier\": \"" + wrong + "\"").find("want 1 to 64 of letters") !=
              std::string::npos);
    CHECK(with("\"devise\": 1").find("unknown key \"devise\" in \"attach\"") != std::string::npos);
}

TEST_CASE("two exports cannot be one device, nor share an identifier", "[config]") {
    const auto two = [](const std::string& first, const std::string& second) {
        const std::string table = R"("table": [{"kind": "linear", "device": "x"}])";
        return report(R"({"listen": ["unix:///s"], "exports": [{"name": "a", "attach": )" + first +
                      ", " + table + R"(}, {"name": "b", "attach": )" + second + ", " + table +
                      "}]}");
    };
    CHECK(two("\"/dev/nbd0\"", "\"/dev/nbd0\"")
              .find("exports[1].attach: want another device than that of export \"a\", got "
                    "\"/dev/nbd0\"") != std::string::npos);
    CHECK(
        two(R"({"device": "auto", "identifier": "i"})", R"({"device": "auto", "identifier": "i"})")
            .find("want another identifier than that of export \"a\"") != std::string::npos);
    CHECK(two("\"auto\"", "\"auto\"").find("attach") == std::string::npos);
}

TEST_CASE("what interposectl wrote of a volume has to be whole", "[config]") {
    const auto with = [](const std::string& interposed) {
        return report(with_members("\"interposed\": " + interposed));
    };
    CHECK(with("{}").find("\"volume\" is missing") != std::string::npos);
    CHECK(with(R"({"volume": "v", "before": [], "after": [], "state": "out"})")
              .find("interposed.state: want \"entering\" or \"in\" or \"leaving\", got \"out\"") !=
          std::string::npos);
    CHECK(with(R"({"volume": "v", "before": "x", "after": [], "state": "in"})")
              .find("want an array of dmsetup's lines") != std::string::npos);
}
