#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string with_table(const std::string& segments) {
    return with_export("\"table\": [\n" + segments + "]");
}

/// A segment of its own line.
std::string linear(const std::string& more) {
    return "{\"kind\": \"linear\", \"device\": \"x\"" + (more.empty() ? "" : ", " + more) + "}";
}

std::vector<Segment> table_of(const std::string& text) {
    return parse(text, "f", "/conf").exports.at(0).table;
}

} // namespace

TEST_CASE("starts and lengths that follow from the others are filled in", "[config]") {
    const auto table = table_of(with_table(linear("\"length\": 100") + ",\n" + linear("") + ",\n" +
                                           linear("\"start\": 300") + ",\n" +
                                           linear("\"start\": 1000, \"offset\": 7")));
    REQUIRE(table.size() == 4);
    CHECK(table[0].start == 0U);
    CHECK(table[1].start == 100U);
    CHECK(table[1].length == 200U);
    CHECK(table[2].length == 700U);
    CHECK(table[3].start == 1000U);
    CHECK(table[3].offset == 7);
    CHECK_FALSE(table[3].length);
    CHECK(table[3].place.line == 6);
    CHECK(table[3].place.column == 1);
    CHECK(table[3].place.path == "exports[0].table[3]");
}

TEST_CASE("a device is a path, seen from the file's folder, or a device number", "[config]") {
    const auto device = [](const std::string& name) {
        return table_of(with_table("{\"kind\": \"linear\", \"device\": \"" + name + "\"}"))
            .at(0)
            .device;
    };
    CHECK(device("/dev/sdb") == "/dev/sdb");
    CHECK(device("/dev/disk/by-path/pci-0000:00:1f.2") == "/dev/disk/by-path/pci-0000:00:1f.2");
    CHECK(device("disk.img") == "/conf/disk.img");
    CHECK(device("./rbd:x") == "/conf/rbd:x");
    CHECK(device("../disk.img") == "/conf/../disk.img");
    CHECK(device("8:16") == "8:16");
}

TEST_CASE("a device that is no path and no number is refused", "[config]") {
    const auto fault = [](const std::string& name) {
        return report(with_table("{\"kind\": \"linear\",\n\"device\": " + name + "}"));
    };
    const std::string place = "f:4:11: exports[0].table[0].device: ";
    CHECK(fault("\"rbd:pool/image\"") ==
          place + "want a path or major:minor, got \"rbd:pool/image\": names that begin with a "
                  "scheme are reserved; for a file of that name write \"./rbd:pool/image\"");
    CHECK(fault("\"\"") == place + "want a path or major:minor, got \"\"");
    CHECK(fault("\"a\\u0000\"") == place + "want a path or major:minor, got \"a\\u0000\"");
    CHECK(fault("8") == place + "want a path or \"major:minor\", got 8");
    const std::string number =
        place + "want major:minor as two decimal numbers up to 4095 and 1048575, got ";
    CHECK(fault("\"8:x\"") == number + "\"8:x\"");
    CHECK(fault("\"8:\"") == number + "\"8:\"");
    CHECK(fault("\"4096:0\"") == number + "\"4096:0\"");
    CHECK(fault("\"8:16:1\"") == number + "\"8:16:1\"");
    CHECK(fault("\"" + std::string(4090, 'x') + "\"") ==
          place + "want a path of at most 4095 bytes, got one of 4096");
}

TEST_CASE("each fault of a segment is reported at its place", "[config]") {
    CHECK(report(with_table("{\"device\": \"x\", \"length\": 1},\n{\"kind\": \"linear\"},\n7")) ==
          "f:3:1: exports[0].table[0]: \"kind\" is missing in a segment; known: linear\n"
          "f:4:1: exports[0].table[1]: \"device\" is missing in a segment\n"
          "f:5:1: exports[0].table[2]: want a segment, an object with \"kind\", got 7");
    CHECK(report(with_table("{\"kind\": \"striped\", \"chunk\": 8}")) ==
          "f:3:10: exports[0].table[0].kind: unknown kind of segment \"striped\"; known: linear");
    CHECK(report(with_table("{\"kind\": \"liner\"}")) ==
          "f:3:10: exports[0].table[0].kind: unknown kind of segment \"liner\"; did you mean "
          "\"linear\"?");
    CHECK(report(with_table(linear("\"ofset\": 1,\n\"claim\": \"shared\""))) ==
          "f:3:35: exports[0].table[0].ofset: unknown key \"ofset\" in a segment; did you mean "
          "\"offset\"?\n"
          "f:4:1: exports[0].table[0].claim: unknown key \"claim\" in a segment; it belongs in an "
          "export");
}

TEST_CASE("segments begin at 0 and join without gap or overlap", "[config]") {
    CHECK(report(with_table(linear("\"start\": 8"))) ==
          "f:3:1: exports[0].table[0]: gap in the table: want the first segment to start at byte "
          "0, it starts at byte 8");
    CHECK(report(with_table(linear("\"length\": 8") + ",\n" + linear("\"start\": 9"))) ==
          "f:4:1: exports[0].table[1]: gap in the table: starts at byte 9, the segment before "
          "ends at byte 8");
    CHECK(report(with_table(linear("\"length\": 8") + ",\n" + linear("\"start\": 7"))) ==
          "f:4:1: exports[0].table[1]: overlap in the table: starts at byte 7, the segment before "
          "ends at byte 8");
    CHECK(
        report(with_table(linear("\"length\": 8") + ",\n" + linear("\"start\": 8, \"length\": 8") +
                          ",\n" + linear("\"start\": 4"))) ==
        "f:5:1: exports[0].table[2]: segments out of order: starts at byte 4, the segment "
        "before starts at byte 8");
    CHECK(report(with_table(linear("\"start\": 0") + ",\n" + linear("\"start\": 0"))) ==
          "f:4:1: exports[0].table[1]: segments out of order: starts at byte 0, the segment "
          "before starts at byte 0");
}

TEST_CASE("one misplaced segment is one fault, whatever follows", "[config]") {
    CHECK(
        report(with_table(linear("\"length\": 8") + ",\n" + linear("\"start\": 16, \"length\": 8") +
                          ",\n" + linear("\"start\": 24, \"length\": 8") + ",\n" + linear(""))) ==
        "f:4:1: exports[0].table[1]: gap in the table: starts at byte 16, the segment before "
        "ends at byte 8");
}

TEST_CASE("a length is not 0, and missing only where it does not matter", "[config]") {
    CHECK(report(with_table(linear("\"length\": 0"))) ==
          "f:3:1: exports[0].table[0]: want a length of at least 1 byte, got 0");
    CHECK(report(with_table(linear("") + ",\n" + linear(""))) ==
          "f:3:1: exports[0].table[0]: \"length\" is missing: it may be left out only in the last "
          "segment, or where the next one gives its \"start\"");
    CHECK(report(with_table(linear("\"length\": -1") + ",\n" + linear(""))) ==
          "f:3:45: exports[0].table[0].length: want a number of bytes that is not negative, got "
          "-1");
}

TEST_CASE("a table ends where an off_t can count", "[config]") {
    CHECK(report(with_table(linear("\"length\": 9223372036854775807") + ",\n" +
                            linear("\"length\": 1"))) ==
          "f:4:1: exports[0].table[1]: want an end of at most 9223372036854775807 bytes "
          "(2^63 - 1), got start 9223372036854775807, length 1");
}
