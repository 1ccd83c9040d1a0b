#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

const std::string table = "\"table\": [{\"kind\": \"linear\", \"device\": \"x\"}]";

Export the_export(const std::string& members) {
    return parse(with_export(members), "f", "/conf").exports.at(0);
}

} // namespace

TEST_CASE("what an export does not say has its default", "[config]") {
    const Export found = the_export(table);
    CHECK(found.name == "a");
    CHECK(found.description.empty());
    CHECK(found.claim == Claim::exclusive);
    CHECK(found.cache == Cache::automatic);
    CHECK_FALSE(found.read_only);
    CHECK_FALSE(found.optional);
    CHECK_FALSE(found.allow);
    CHECK(found.place.line == 1);
    CHECK(found.place.path == "exports[0]");
}

TEST_CASE("what an export says is kept", "[config]") {
    const Export found = the_export(
        table + R"(, "description": "d", "claim": "shared", "cache": "direct", "read_only": true,
                   "optional": true, "allow": ["10.0.0.0/8", "::1", "::ffff:10.0.0.0/104"])");
    CHECK(found.description == "d");
    CHECK(found.claim == Claim::shared);
    CHECK(found.cache == Cache::direct);
    CHECK(found.read_only);
    CHECK(found.optional);
    REQUIRE(found.allow);
    REQUIRE(found.allow->size() == 3);
    CHECK(to_json(*found.allow) == R"(["10.0.0.0/8", "::1", "10.0.0.0/8"])");
}

TEST_CASE("the empty name is that of the default export", "[config]") {
    CHECK(report(R"({"listen": "tcp://h", "exports": [{"name": "", )" + table + "}]}").empty());
}

TEST_CASE("there may be no exports yet, but that is to be said", "[config]") {
    CHECK(report(R"({"listen": "tcp://h", "exports": []})").empty());
    CHECK(parse(R"({"listen": "tcp://h", "exports": []})", "f", "/").exports.empty());
    CHECK(report("{\"listen\": \"tcp://h\"}") ==
          "f:1:1: \"exports\" is missing at the top level");
}

TEST_CASE("listen and exports must be there", "[config]") {
    CHECK(report("\n {}") == "f:2:2: \"listen\" is missing at the top level\n"
                             "f:2:2: \"exports\" is missing at the top level");
    CHECK(report("{\"listen\": \"tcp://h\",\n\"exports\": {}}") ==
          "f:2:12: exports: want an array of exports, got an object");
    CHECK(report("{\"listen\": \"tcp://h\", \"exports\": [\n3]}") ==
          "f:2:1: exports[0]: want an export, an object, got 3");
}

TEST_CASE("a misspelt key is told the nearest right one", "[config]") {
    CHECK(report("{\"listne\": 1,\n\"exports\": [{\"name\": \"a\", \"readonly\": true,\n" + table +
                 "}]}") ==
          "f:1:1: \"listen\" is missing at the top level\n"
          "f:1:2: listne: unknown key \"listne\" at the top level; did you mean \"listen\"?\n"
          "f:2:27: exports[0].readonly: unknown key \"readonly\" in an export; did you mean "
          "\"read_only\"?");
}

TEST_CASE("a key that is like none is told which there are", "[config]") {
    CHECK(report(with_export("\"zzz\": 1, " + table)) ==
          "f:2:1: exports[0].zzz: unknown key \"zzz\" in an export; known: name, description, "
          "claim, cache, read_only, optional, tls, kernel_only, allow, max_connections, qos, "
          "attach, interposed, "
          "table, dm_table");
}

TEST_CASE("a key of another level is told where it belongs", "[config]") {
    CHECK(report(with_export("\"device\": \"x\", \"listen\": 1,\n" + table)) ==
          "f:2:1: exports[0].device: unknown key \"device\" in an export; it belongs in a "
          "segment\n"
          "f:2:16: exports[0].listen: unknown key \"listen\" in an export; it belongs at the top "
          "level");
}

TEST_CASE("a word must be one of those that are known", "[config]") {
    CHECK(report(with_export("\"claim\": \"exlusive\",\n\"cache\": \"none\",\n" + table)) ==
          "f:2:10: exports[0].claim: want \"exclusive\" or \"shared\" or \"adopted\", got "
          "\"exlusive\"; did you "
          "mean \"exclusive\"?\n"
          "f:3:10: exports[0].cache: want \"buffered\" or \"direct\", got \"none\"");
    CHECK(report(with_export("\"claim\": true, " + table)) ==
          "f:2:10: exports[0].claim: want \"exclusive\" or \"shared\" or \"adopted\", got true");
}

TEST_CASE("a value of the wrong type is told what is wanted", "[config]") {
    CHECK(report(with_export("\"read_only\": \"yes\",\n\"optional\": 0,\n\"description\": null,\n"
                             "\"allow\": \"::1\",\n\"table\": {}")) ==
          "f:2:14: exports[0].read_only: want true or false, got \"yes\"\n"
          "f:3:13: exports[0].optional: want true or false, got 0\n"
          "f:4:16: exports[0].description: want a string, got null\n"
          "f:5:10: exports[0].allow: want an array of rules, got \"::1\"\n"
          "f:6:10: exports[0].table: want an array of segments, got an object");
}

TEST_CASE("names must be such as the protocol can carry", "[config]") {
    const auto named = [](const std::string& name) {
        return report("{\"listen\": \"tcp://h\", \"exports\": [{\n\"name\": " + name + ",\n" +
                      table + "}]}");
    };
    CHECK(named("\"" + std::string(4096, 'x') + "\"").empty());
    CHECK(named("\"" + std::string(4097, 'x') + "\"") ==
          "f:2:9: exports[0].name: want at most 4096 bytes, got 4097");
    CHECK(named("\"a\\u0000b\"") ==
          "f:2:9: exports[0].name: want a string without NUL, got \"a\\u0000b\"");
    CHECK(named("1") == "f:2:9: exports[0].name: want a string, got 1");
    CHECK(report("{\"listen\": \"tcp://h\", \"exports\": [\n{" + table + "}]}") ==
          "f:2:1: exports[0]: \"name\" is missing in an export");
}

TEST_CASE("two exports cannot have one name", "[config]") {
    CHECK(report("{\"listen\": \"tcp://h\", \"exports\": [{\"name\": \"a\", " + table +
                 "},\n{\"name\": \"\\u0061\", " + table + "}]}") ==
          "f:2:10: exports[1].name: want another name than that of exports[0], got \"a\"");
}

TEST_CASE("address ranges are strict", "[config]") {
    const std::string wanted =
        "want an address or a range such as \"127.0.0.0/8\" or \"::1\", or \"unix\", got ";
    CHECK(report(with_export("\"allow\": [\n\"10.0.0.1/8\",\n\"fe80::1/10\",\n\"10.0.0.0/33\",\n"
                             "\"::/129\",\n\"localhost\",\n\"10.0.0.0/\",\n4,\n\"1.2.3\",\n"
                             "\"0.0.0.0/00\"],\n" +
                             table)) ==
          "f:3:1: exports[0].allow[0]: " + wanted +
              "\"10.0.0.1/8\": bits behind the prefix are set; did you mean \"10.0.0.0/8\"?\n"
              "f:4:1: exports[0].allow[1]: " +
              wanted +
              "\"fe80::1/10\": bits behind the prefix are set; did you mean \"fe80::/10\"?\n"
              "f:5:1: exports[0].allow[2]: " +
              wanted +
              "\"10.0.0.0/33\": want a prefix length from 0 to 32 behind the slash\n"
              "f:6:1: exports[0].allow[3]: " +
              wanted +
              "\"::/129\": want a prefix length from 0 to 128 behind the slash\n"
              "f:7:1: exports[0].allow[4]: " +
              wanted +
              "\"localhost\"\n"
              "f:8:1: exports[0].allow[5]: " +
              wanted +
              "\"10.0.0.0/\": want a prefix length from 0 to 32 behind the slash\n"
              "f:9:1: exports[0].allow[6]: want an address or a range in quotes, or an object, "
              "got 4\n"
              "f:10:1: exports[0].allow[7]: " +
              wanted +
              "\"1.2.3\"\n"
              "f:11:1: exports[0].allow[8]: " +
              wanted + "\"0.0.0.0/00\": want a prefix length from 0 to 32 behind the slash");
    CHECK(report(with_export("\"allow\": [], " + table)) ==
          "f:2:10: exports[0].allow: want at least one rule, got an empty array; without "
          "\"allow\" everybody is let in");
}

TEST_CASE("every prefix length keeps just its own bits", "[config]") {
    for (int prefix = 0; prefix <= 128; ++prefix) {
        const std::string all = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/" + std::to_string(prefix);
        const bool right = report(with_export("\"allow\": [\"" + all + "\"], " + table)).empty();
        CHECK(right == (prefix == 128));
        const std::string none = "::/" + std::to_string(prefix);
        CHECK(report(with_export("\"allow\": [\"" + none + "\"], " + table)).empty());
    }
}

TEST_CASE("an export has exactly one table", "[config]") {
    CHECK(report("{\"listen\": \"tcp://h\", \"exports\": [\n{\"name\": \"a\"}]}") ==
          "f:2:1: exports[0]: want exactly one of \"table\" and \"dm_table\" in an export, got "
          "neither");
    CHECK(report("{\"listen\": \"tcp://h\", \"exports\": [\n{\"name\": \"a\", \"dm_table\": [], " +
                 table + "}]}") ==
          "f:2:1: exports[0]: want exactly one of \"table\" and \"dm_table\" in an export, got "
          "both");
    CHECK(report(with_export("\"table\": []")) ==
          "f:2:10: exports[0].table: want at least one segment, got none");
}
