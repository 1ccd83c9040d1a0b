#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::vector<Segment> table_of(const std::string& dm_table) {
    return parse(with_export("\"dm_table\": " + dm_table), "f", "/conf").exports.at(0).table;
}

/// The report on a table of one line, without the place.
std::string fault_of(const std::string& line) {
    const std::string text = report(with_export("\"dm_table\": [\n\"" + line + "\"]"));
    const std::string place = "f:3:1: exports[0].dm_table[0]: ";
    CHECK(text.find(place) == 0);
    return text.substr(std::min(place.size(), text.size()));
}

} // namespace

TEST_CASE("a table can be written in dmsetup's own words", "[config]") {
    const auto table = table_of(R"(["0 8 linear 8:16 2048", " 8\t16  linear /dev/vda2 0 "])");
    REQUIRE(table.size() == 2);
    CHECK(table[0].device == "8:16");
    CHECK(table[0].start == 0U);
    CHECK(table[0].length == 4096U);
    CHECK(table[0].offset == 1048576);
    CHECK(table[1].device == "/dev/vda2");
    CHECK(table[1].start == 4096U);
    CHECK(table[1].length == 8192U);
    CHECK(table[1].place.path == "exports[0].dm_table[1]");
}

TEST_CASE("a table can be one string of several lines", "[config]") {
    const auto table = table_of(R"("# by hand\n0 8 linear x 0\n\n8 8 linear x 8\n")");
    REQUIRE(table.size() == 2);
    CHECK(table[0].device == "/conf/x");
    CHECK(table[0].place.path == "exports[0].dm_table line 2");
    CHECK(table[1].place.path == "exports[0].dm_table line 4");
    CHECK(table[1].place.line == 2);
}

TEST_CASE("a backslash takes the next character of a line as it is", "[config]") {
    CHECK(table_of(R"(["0 8 linear /a\\ b\\\\c 0"])").at(0).device == "/a b\\c");
}

TEST_CASE("a line that the kernel refuses is refused with the reason", "[config]") {
    CHECK(fault_of("0 8 linear /dev/x") ==
          "want 2 arguments for linear, a device and an offset, got 1");
    CHECK(fault_of("0 8 linear /dev/x 0 1 2") ==
          "want 2 arguments for linear, a device and an offset, got 4");
    CHECK(fault_of("0 8 striped 2 8 /dev/x 0 /dev/y 0") ==
          "unknown target type \"striped\"; known: linear");
    CHECK(fault_of("0 8 Liner /dev/x 0") ==
          "unknown target type \"Liner\"; did you mean \"linear\"?");
    CHECK(fault_of("0 0 linear /dev/x 0") == "want a length of at least 1 byte, got 0");
    CHECK(fault_of("1 8 linear /dev/x 0") ==
          "gap in the table: want the first segment to start at byte 0, it starts at byte 512");
    CHECK(fault_of("0 linear") == "want \"start length linear device offset\", got \"0 linear\"");
    CHECK(fault_of("vol: 0 8 linear 8:16 0") ==
          "want \"start length linear device offset\", got \"vol: 0 8 linear 8:16 0\": leave out "
          "the name before the colon");
    CHECK(fault_of("0 8 linear rbd:x 0").find("device: want a path or major:minor") == 0);
}

TEST_CASE("the numbers of a line are decimal digits alone", "[config]") {
    const std::string wanted = "want a number of 512-byte sectors in decimal digits, got ";
    for (const std::string number : {"-1", "0x10", "12x", "+1", "1.5", "1s"}) {
        CHECK(fault_of("0 8 linear /dev/x " + number) ==
              "offset: " + wanted + "\"" + number + "\"");
        CHECK(fault_of("0 " + number + " linear /dev/x 0") ==
              "length: " + wanted + "\"" + number + "\"");
        CHECK(fault_of(number + " 8 linear /dev/x 0") == "start: " + wanted + "\"" + number + "\"");
    }
    CHECK(fault_of("0 8 linear /dev/x 18014398509481984") ==
          "offset: want at most 9223372036854775807 bytes (2^63 - 1), got \"18014398509481984\" "
          "sectors");
}

TEST_CASE("the claim is no argument of a line", "[config]") {
    for (const std::string word : {"excl", "noexcl", "exclusive", "shared"})
        CHECK(fault_of("0 8 linear /dev/x 0 " + word) ==
              "want 2 arguments for linear, a device and an offset, got 3: \"" + word +
                  "\" is not a table argument; the claim is said by the export's \"claim\"");
}

TEST_CASE("lines must join, and each fault names its line", "[config]") {
    CHECK(report(with_export("\"dm_table\": [\"0 8 linear x 0\",\n\"9 8 linear x 0\",\n"
                             "\"16 8 linear x 0\",\n\"8 8 linear x 0\"]")) ==
          "f:3:1: exports[0].dm_table[1]: gap in the table: starts at byte 4608, the segment "
          "before ends at byte 4096\n"
          "f:4:1: exports[0].dm_table[2]: overlap in the table: starts at byte 8192, the segment "
          "before ends at byte 8704\n"
          "f:5:1: exports[0].dm_table[3]: segments out of order: starts at byte 4096, the segment "
          "before starts at byte 8192");
    CHECK(report(with_export("\"dm_table\":\n\"0 8 linear x 0\\n8 8 linear x -1\"")) ==
          "f:3:1: exports[0].dm_table line 2: offset: want a number of 512-byte sectors in "
          "decimal digits, got \"-1\"");
}

TEST_CASE("a table of lines is an array of strings or a string", "[config]") {
    CHECK(report(with_export("\"dm_table\": 8")) ==
          "f:2:13: exports[0].dm_table: want an array of lines \"start length linear device "
          "offset\", got 8");
    CHECK(report(with_export("\"dm_table\": [8]")) ==
          "f:2:14: exports[0].dm_table[0]: want a line \"start length linear device offset\", got "
          "8");
    CHECK(report(with_export("\"dm_table\": [\"0 8 linear x 0\\n8 8 linear x 0\"]")) ==
          "f:2:14: exports[0].dm_table[0]: want one line in each string of the array, got several");
    CHECK(report(with_export("\"dm_table\": \"\\n# nothing\\n\"")) ==
          "f:2:13: exports[0].dm_table: want at least one segment, got none");
}
