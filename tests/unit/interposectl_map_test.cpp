#include "interposectl/errors.hpp"
#include "interposectl/map.hpp"
#include "interposectl/render.hpp"

#include <catch2/catch.hpp>

using namespace interposed::ctl;

namespace {

constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
constexpr std::uint64_t mib = std::uint64_t{1} << 20U;

TableMap map_of(std::vector<MapSegment> segments) {
    TableMap map{.name = "vol0", .slot = "live", .size = 0, .segments = std::move(segments)};
    for (MapSegment& segment : map.segments) {
        segment.start = map.size;
        segment.kind = "linear";
        map.size += segment.length;
    }
    return map;
}

MapSegment on(const std::string& device, std::uint64_t length, std::uint64_t offset) {
    return {.start = 0,
            .length = length,
            .kind = {},
            .device = device,
            .identity = {},
            .offset = offset};
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = text.find('\n', start);
        lines.push_back(text.substr(start, end - start));
        start = end + 1;
    }
    return lines;
}

} // namespace

TEST_CASE("a segment's box is as long as the segment is large", "[interposectl]") {
    const TableMap map = map_of({on("/dev/sdb", 3 * gib, 0), on("/dev/sdc", gib, 0)});

    CHECK(draw_bar(map, {"A", "B"}, 41) == "0                                   4 GiB\n"
                                           "+-----------------------------+---------+\n"
                                           "| A /dev/sdb                  | B       |\n"
                                           "+-----------------------------+---------+\n");
}

TEST_CASE("a segment that is tiny beside the others is still seen", "[interposectl]") {
    const TableMap map =
        map_of({on("a", 1 << 20U, 0), on("b", std::uint64_t{1} << 50U, 0), on("a", 512, 1 << 20U)});

    CHECK(lines_of(draw_bar(map, {"A", "B", "A"}, 41)).at(2) ==
          "| A | B b                           | A |");
}

TEST_CASE("of many segments the middle is one box", "[interposectl]") {
    std::vector<MapSegment> segments(1000000, on("/dev/sdb", 4096, 0));
    const TableMap map = map_of(std::move(segments));

    const auto lines = lines_of(draw_bar(map, std::vector<std::string>(1000000, "A"), 60));

    CHECK(lines.at(2) == "| A | A | A | A | A | 999990 more      | A | A | A | A | A |");
    for (const std::string& line : lines)
        CHECK(line.size() == 60);
}

TEST_CASE("a bar is never wider than it may be", "[interposectl]") {
    for (std::size_t count = 1; count < 80; ++count) {
        std::vector<MapSegment> segments;
        for (std::size_t i = 0; i < count; ++i)
            segments.push_back(on("/dev/sd" + std::to_string(i), (i * 7 % 5 + 1) * mib, 0));
        const TableMap map = map_of(std::move(segments));
        for (const std::size_t width : {40U, 41U, 79U, 80U, 133U})
            for (const std::string& line :
                 lines_of(draw_bar(map, std::vector<std::string>(count, "A"), width)))
                REQUIRE(line.size() == width);
    }
}

TEST_CASE("a table without segments, as of a disabled export, has no bar", "[interposectl]") {
    CHECK(draw_bar(map_of({}), {}, 80).empty());
    CHECK(draw_map(map_of({}), 80).starts_with("vol0: live table, 0, 0 segments on 0 devices\n"));
}

TEST_CASE("a map tells which range of a device is where", "[interposectl]") {
    const TableMap map =
        map_of({on("/dev/sdb", 2 * gib, gib), on("/srv/tail.img", gib, 0), on("/dev/sdb", gib, 0)});

    const std::string picture = draw_map(map, 60);

    CHECK(picture.starts_with("vol0: live table, 4294967296 (4 GiB), 3 segments on 2 devices\n"));
    CHECK(picture.find("  A  /dev/sdb: 3 GiB in 2 segments\n"
                       "                   FROM                  TO       IN THE EXPORT\n"
                       "                      0  1073741824 (1 GiB)  3221225472 (3 GiB)\n"
                       "     1073741824 (1 GiB)  3221225472 (3 GiB)                   0\n") !=
          std::string::npos);
    CHECK(picture.find("  B  /srv/tail.img: 1 GiB in 1 segment\n") != std::string::npos);
}

TEST_CASE("two paths of one device are one device", "[interposectl]") {
    TableMap map = map_of({on("/dev/sdb", gib, 0), on("/dev/disk/by-id/x", gib, gib)});
    for (MapSegment& segment : map.segments)
        segment.identity = "8:16";

    CHECK_THAT(draw_map(map, 80), Catch::Contains("2 segments on 1 device\n"));
}

TEST_CASE("devices are labelled as columns of a spreadsheet", "[interposectl]") {
    CHECK(device_label(0) == "A");
    CHECK(device_label(25) == "Z");
    CHECK(device_label(26) == "AA");
    CHECK(device_label(26 + 26 * 26) == "AAA");
}

TEST_CASE("a table is printed as load takes it", "[interposectl]") {
    const Json result = Json::parse(R"({"name": "v", "slot": "live", "size": 8192, "new": 1,
        "segments": [
            {"start": 0, "length": 4096, "kind": "linear", "device": "/a \"b\"", "identity": "8:16",
             "offset": 512, "new": 1},
            {"start": 4096, "length": 4096, "kind": "linear", "device": "/c", "identity": "8:32",
             "offset": 0}],
        "dm": ["0 8 linear 8:16 1", "8 8 linear 8:32 0"], "dm_impossible": null})");

    CHECK(table_json_text(result) ==
          "{\"table\": [\n"
          "  {\"kind\": \"linear\", \"device\": \"/a \\\"b\\\"\", \"offset\": 512, \"length\": "
          "4096},\n"
          "  {\"kind\": \"linear\", \"device\": \"/c\", \"offset\": 0, \"length\": 4096}\n"
          "]}\n");
    CHECK(table_dm_text(result) == "0 8 linear 8:16 1\n8 8 linear 8:32 0\n");
}

TEST_CASE("a table that dmsetup has no words for is refused with the reason", "[interposectl]") {
    const Json result = {
        {"name", "v"}, {"dm", nullptr}, {"dm_impossible", "segment 0: half a sector"}};

    CHECK_THROWS_WITH(table_dm_text(result), Catch::Contains("segment 0: half a sector"));
}
