#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string fault_of_export(std::string_view text) {
    return report_of([text] { parse_export(text, "f", "/conf"); });
}

std::string fault_of_table(std::string_view text) {
    return report_of([text] { parse_table(text, "f", "/conf"); });
}

/// What every spelling of the same table must give.
void check_pair(std::string_view text) {
    INFO(text);
    const auto table = parse_table(text, "f", "/conf");
    REQUIRE(table.size() == 2);
    CHECK(table[0] == Segment{"8:16", 0, 1048576, 4096, {}});
    CHECK(table[1] == Segment{"/conf/a", 4096, 0, 8192, {}});
}

} // namespace

TEST_CASE("an export can be read by itself", "[config]") {
    const Export one = parse_export(R"({"name": "диск", "claim": "shared", "max_connections": 2,
        "table": [{"kind": "linear", "device": "a"}]})",
                                    "f", "/conf");
    CHECK(one.name == "диск");
    CHECK(one.claim == Claim::shared);
    CHECK(one.max_connections == 2U);
    REQUIRE(one.table.size() == 1);
    CHECK(one.table[0].device == "/conf/a");
    CHECK(one.table[0].start == 0U);
    CHECK(one.table[0].place.path == "table[0]");
    CHECK(one.place.path.empty());
    CHECK(one.place.line == 1);
}

TEST_CASE("an export by itself is checked as one in a file", "[config]") {
    CHECK(fault_of_export("[]") == "f:1:1: want an export, an object, got an array");
    CHECK(fault_of_export("{") ==
          "f:1:2: want a key in double quotes or \"}\", found the end of the text");
    CHECK(fault_of_export("{\"listen\": 1,\n\"table\": [{\"kind\": \"linear\", \"device\": \"a\", "
                          "\"offset\": -1}], \"qos\": {\"iops_burst\": 1}}") ==
          "f:1:1: \"name\" is missing in an export\n"
          "f:1:2: listen: unknown key \"listen\" in an export; it belongs at the top level\n"
          "f:2:55: table[0].offset: want a number of bytes that is not negative, got -1\n"
          "f:2:83: qos.iops_burst: \"iops\" is missing, without which \"iops_burst\" limits "
          "nothing");
    CHECK(fault_of_export("{\"name\": \"a\", \"name\": \"b\", \"dm_table\": \"0 1 linear a 0\"}") ==
          "f:1:15: name: want each key once, found it first on line 1, column 2");
    CHECK(fault_of_export("{\"name\": \"a\"}") ==
          "f:1:1: want exactly one of \"table\" and \"dm_table\" in an export, got neither");
}

TEST_CASE("a table can be read by itself in each of its forms", "[config]") {
    const std::string segments =
        R"([{"kind": "linear", "device": "8:16", "offset": "1MiB", "length": "8s"},
            {"kind": "linear", "device": "a", "length": "8KiB"}])";
    const std::string lines = R"(["0 8 linear 8:16 2048", "# a comment", "8 16 linear a 0"])";
    check_pair(segments);
    check_pair(lines);
    check_pair("{\"table\": " + segments + "}");
    check_pair("\n {\"dm_table\": " + lines + "}");
    check_pair(R"({"dm_table": "0 8 linear 8:16 2048\n8 16 linear a 0\n"})");
    check_pair("// a comment, then {\n/* another */ " + segments);
    check_pair("0 8 linear 8:16 2048\n8 16 linear a 0");
    check_pair("\n# [a comment]\r\n \t0 8 linear 8:16 2048\r\n\n8\t16 linear a 0\r\n\n");
}

TEST_CASE("segments of a table by itself know their places", "[config]") {
    const auto place_of = [](std::string_view text) {
        return parse_table(text, "f", "/conf").back().place;
    };
    CHECK(place_of("[\n\"0 8 linear a 0\"]").path == "[0]");
    CHECK(place_of("{\"table\": [\n{\"kind\": \"linear\", \"device\": \"a\"}]}").path ==
          "table[0]");
    const Place plain = place_of("# x\n0 8 linear a 0\n  8 8 linear a 8");
    CHECK(plain.path.empty());
    CHECK(plain.line == 3);
    CHECK(plain.column == 3);
}

TEST_CASE("each fault of plain lines has the line of the text", "[config]") {
    CHECK(fault_of_table("0 8 linear a 0\n# x\n\n 9 8 liner a 0\n25 8 linear a x\n") ==
          "f:4:2: unknown target type \"liner\"; did you mean \"linear\"?\n"
          "f:4:2: gap in the table: starts at byte 4608, the segment before ends at byte 4096\n"
          "f:5:1: offset: want a number of 512-byte sectors in decimal digits, got \"x\"\n"
          "f:5:1: gap in the table: starts at byte 12800, the segment before ends at byte 8704");
    CHECK(fault_of_table("vol: 0 8 linear a 0") ==
          "f:1:1: want \"start length linear device offset\", got \"vol: 0 8 linear a 0\": leave "
          "out the name before the colon");
    for (const std::string nothing : {"", "\n", " \t", "# only a comment\n"})
        CHECK(fault_of_table(nothing) == "f:1:1: want at least one segment, got none");
    CHECK(fault_of_table("0 8 linear a 0\n8 8 linear a\xFF 0").find("f:2:13: ") == 0);
    CHECK(fault_of_table(std::string_view("0 8 linear a\0b 0", 16)).find("f:1:13: ") == 0);
}

TEST_CASE("each fault of a table in JSON has its place and path", "[config]") {
    CHECK(fault_of_table("[]") == "f:1:1: want at least one segment, got none");
    CHECK(fault_of_table("{}") ==
          "f:1:1: want exactly one of \"table\" and \"dm_table\" in a table, got neither");
    CHECK(fault_of_table("{\"table\": [],\n\"name\": 1}") ==
          "f:1:11: table: want at least one segment, got none\n"
          "f:2:1: name: unknown key \"name\" in a table; it belongs in an export");
    CHECK(fault_of_table("[{\"kind\": \"linear\", \"device\": \"a\", \"lenght\": 1},\n\"0 8\"]") ==
          "f:1:36: [0].lenght: unknown key \"lenght\" in a segment; did you mean \"length\"?\n"
          "f:2:1: [1]: want a segment, an object with \"kind\", got \"0 8\"");
    CHECK(fault_of_table("[\"0 8 linear a 0\",\n{}]") ==
          "f:2:1: [1]: want a line \"start length linear device offset\", got an object");
    CHECK(fault_of_table("// a comment\n5") ==
          "f:2:1: want an object with \"table\" or \"dm_table\", or an array, got 5");
    CHECK(fault_of_table("/* {") == "f:1:1: this comment has no end");
}

TEST_CASE("a hundred thousand plain lines are read whole", "[config]") {
    std::string text;
    for (int i = 0; i < 100000; ++i)
        text += std::to_string(i * 8) + " 8 linear /dev/sdb " + std::to_string(i * 16) + "\n";
    const auto table = parse_table(text, "f", "/conf");
    REQUIRE(table.size() == 100000);
    CHECK(table.back().place.line == 100000);
    CHECK(table.back() == Segment{"/dev/sdb", 99999U * 4096, 99999U * 8192, 4096, {}});
}
