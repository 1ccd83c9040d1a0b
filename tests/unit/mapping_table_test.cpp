#include "mapping/table.hpp"

#include <catch2/catch.hpp>
#include <random>

namespace interposed::mapping {

TEST_CASE("an extent that would overflow fits nowhere", "[mapping]") {
    CHECK_FALSE(Extent{~std::uint64_t{0} - 511, 1024}.fits(1 << 20));
    CHECK_FALSE(Extent{1 << 20, 1}.fits(1 << 20));
    CHECK(Extent{1 << 20, 0}.fits(1 << 20));
}

TEST_CASE("extents that only touch do not overlap", "[mapping]") {
    CHECK_FALSE(Extent{0, 512}.overlaps({512, 512}));
    CHECK(Extent{0, 513}.overlaps({512, 512}));
    CHECK_FALSE(Extent{100, 0}.overlaps({0, 512}));
}

TEST_CASE("a range inside one segment is one piece, moved by its device offset", "[mapping]") {
    const Table table({{.start = 0, .length = 4096, .device = 7, .device_offset = 512}});

    CHECK(table.first_piece({100, 50}) == Piece{0, 7, {612, 50}});
}

TEST_CASE("a range that crosses segments is cut at their border", "[mapping]") {
    const Table table({{.start = 0, .length = 4096, .device = 0, .device_offset = 512},
                       {.start = 4096, .length = 4096, .device = 1, .device_offset = 0}});

    CHECK(table.first_piece({4000, 200}) == Piece{0, 0, {4512, 96}});
    CHECK(table.first_piece({4096, 104}) == Piece{1, 1, {0, 104}});
    CHECK(table.first_piece({8191, 1}) == Piece{1, 1, {4095, 1}});
}

TEST_CASE("segments that do not join are refused, by number and place", "[mapping]") {
    CHECK_THROWS_WITH(Table({}), Catch::Contains("at least one segment"));
    CHECK_THROWS_WITH(Table({{.start = 512, .length = 512}}),
                      "segment 0: want start 0 (the end of the one before), found 512");
    CHECK_THROWS_WITH(Table({{.start = 0, .length = 0}}),
                      "segment 0: want a length above 0, found 0");
    CHECK_THROWS_WITH(Table({{.start = 0, .length = 512}, {.start = 1024, .length = 512}}),
                      Catch::Contains("segment 1: want start 512"));
    CHECK_THROWS_WITH(Table({{.start = 0, .length = 512}, {.start = 256, .length = 512}}),
                      Catch::Contains("segment 1: want start 512"));
}

TEST_CASE("a table that a file offset cannot address is refused", "[mapping]") {
    CHECK_NOTHROW(Table({{.start = 0, .length = Table::max_size}}));
    CHECK_THROWS_AS(
        Table({{.start = 0, .length = Table::max_size}, {.start = Table::max_size, .length = 1}}),
        TableError);
    CHECK_THROWS_AS(Table({{.start = 0, .length = 2, .device_offset = Table::max_size - 1}}),
                    TableError);
}

TEST_CASE("every byte of a table is found in the segment that holds it", "[mapping]") {
    const unsigned seed = GENERATE(1U, 2U, 3U);
    std::mt19937_64 random(seed);
    std::vector<Segment> segments;
    std::uint64_t start = 0;
    for (std::uint32_t i = 0; i < 2000; ++i) {
        // Mostly small ones and a few huge: many segments in one bucket, many buckets in one.
        const std::uint64_t length = i % 50 == 0 ? 1 + random() % 1000000 : 1 + random() % 7;
        segments.push_back({.start = start, .length = length, .device = i, .device_offset = i});
        start += length;
    }
    const Table table(segments);
    REQUIRE(table.size() == start);
    for (std::size_t i = 0; i < segments.size(); ++i) {
        CHECK(table.segment_at(segments[i].start) == i);
        CHECK(table.segment_at(segments[i].start + segments[i].length - 1) == i);
        CHECK(table.segment_at(segments[i].start + segments[i].length / 2) == i);
    }
}

TEST_CASE("a hundred thousand segments make a table", "[mapping]") {
    std::vector<Segment> segments;
    for (std::uint32_t i = 0; i < 100000; ++i)
        segments.push_back({.start = i * 4096ULL, .length = 4096, .device = i % 3});
    const Table table(std::move(segments));
    CHECK(table.segment_at(99999 * 4096ULL) == 99999);
    CHECK(table.segment_at(0) == 0);
}

} // namespace interposed::mapping
