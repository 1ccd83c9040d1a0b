#include "volume/table.hpp"

#include <catch2/catch.hpp>

using namespace interposed::volume;

TEST_CASE("a line of dmsetup is read and written alike", "[volume]") {
    for (const char* line :
         {"0 2048 linear 253:0 384", "2048 8 zero", "0 8 striped 2 8 8:1 0 8:2 0"})
        CHECK(line_of(parse_line(line)) == line);
    const Target target = parse_line("0 2048 linear 253:0 384");
    CHECK(target.length == 2048);
    CHECK(area_of(target) == Area{.device = {253, 0}, .start = 384, .length = 2048});
}

TEST_CASE("what is no line of dmsetup is refused with the line", "[volume]") {
    for (const char* line : {"", "0", "0 8", "x 8 zero", "0 -8 zero", "0x1 8 zero"})
        CHECK_THROWS_WITH(parse_line(line), Catch::Contains("want START LENGTH TYPE ARGUMENTS"));
    CHECK_THROWS_WITH(area_of(parse_line("0 8 zero")), Catch::Contains("found \"0 8 zero\""));
    CHECK_THROWS_WITH(area_of(parse_line("0 8 linear 8:1 0 noexcl")),
                      Catch::Contains("want linear DEVICE OFFSET"));
    CHECK_THROWS_WITH(area_of(parse_line("0 8 linear /dev/sda 0")), Catch::Contains("8:16"));
    CHECK_THROWS_WITH(parse_number("8"), Catch::Contains("found \"8\""));
}

TEST_CASE("a device's number may end in a line end, as sysfs has it", "[volume]") {
    CHECK(parse_number("43:96\n") == DeviceNumber{43, 96});
    CHECK(text_of({43, 96}) == "43:96");
}

TEST_CASE("a table is as long as its last line says", "[volume]") {
    CHECK(size_of({}) == 0);
    CHECK(size_of(parse_lines({"0 8 linear 8:1 0", "8 16 linear 8:2 0"})) == 24);
    CHECK(lines_of(whole_of({43, 0}, 24)) == std::vector<std::string>{"0 24 linear 43:0 0"});
}

TEST_CASE("areas overlap if they have a sector of one device in common", "[volume]") {
    const Area area{.device = {8, 0}, .start = 100, .length = 10};
    CHECK(overlap(area, {.device = {8, 0}, .start = 109, .length = 1}));
    CHECK(overlap(area, {.device = {8, 0}, .start = 0, .length = 101}));
    CHECK_FALSE(overlap(area, {.device = {8, 0}, .start = 110, .length = 1}));
    CHECK_FALSE(overlap(area, {.device = {8, 0}, .start = 90, .length = 10}));
    CHECK_FALSE(overlap(area, {.device = {8, 16}, .start = 100, .length = 10}));
}
