#include "server/overlaps.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <tuple>

using namespace interposed;
using server::Area;
using server::find_overlaps;
using server::Overlap;

namespace {

Area area(std::uint32_t owner, std::uint32_t segment, bool shared, mapping::Extent where,
          dev_t medium = 1) {
    return {{devices::DeviceKind::block_device, medium, 0}, where, shared, owner, segment};
}

bool are_refused(const Area& a, const Area& b) {
    return a.medium == b.medium && a.where.overlaps(b.where) &&
           (a.owner == b.owner || !a.shared || !b.shared);
}

} // namespace

TEST_CASE("areas that only touch do not overlap", "[server]") {
    CHECK(find_overlaps({}).empty());
    CHECK(find_overlaps(
              {area(0, 0, false, {0, 8}), area(0, 1, false, {8, 8}), area(1, 0, false, {16, 8})})
              .empty());
}

TEST_CASE("two areas of one export never overlap, whatever the claim", "[server]") {
    for (const bool shared : {false, true}) {
        const auto found = find_overlaps({area(0, 1, shared, {0, 9}), area(0, 0, shared, {8, 8})});
        REQUIRE(found.size() == 1);
        CHECK(found[0].earlier.segment == 0);
        CHECK(found[0].later.segment == 1);
    }
}

TEST_CASE("areas of two exports overlap only if both are shared", "[server]") {
    for (const bool first : {false, true})
        for (const bool second : {false, true})
            CHECK(find_overlaps({area(0, 0, first, {0, 8}), area(1, 0, second, {7, 8})}).empty() ==
                  (first && second));
}

TEST_CASE("areas of two media never meet", "[server]") {
    CHECK(find_overlaps({area(0, 0, false, {0, 8}, 1), area(0, 1, false, {0, 8}, 2)}).empty());
}

TEST_CASE("an area is found even if others of its export reach farther", "[server]") {
    const auto found = find_overlaps({area(0, 0, true, {0, 100}), area(1, 0, true, {0, 1000}),
                                      area(2, 0, false, {2000, 10}), area(0, 1, true, {50, 10})});
    REQUIRE(found.size() == 1);
    CHECK(found[0].later.segment == 1);
}

TEST_CASE("the sweep finds an overlap exactly where comparing all pairs does", "[server]") {
    std::mt19937 random(1);
    for (int round = 0; round < 2000; ++round) {
        std::vector<Area> areas;
        for (std::uint32_t i = 0; i < 1 + random() % 8; ++i) {
            const auto owner = static_cast<std::uint32_t>(random() % 3);
            areas.push_back(area(owner, i, owner > 0 && round % 2 == 0,
                                 {random() % 60, 1 + random() % 12}, 1 + random() % 2));
        }
        bool wanted = false;
        for (std::size_t i = 0; i < areas.size(); ++i)
            for (std::size_t j = 0; j < i; ++j)
                wanted = wanted || are_refused(areas[i], areas[j]);
        const std::vector<Overlap> found = find_overlaps(areas);
        REQUIRE(found.empty() != wanted);
        for (const Overlap& overlap : found)
            REQUIRE(are_refused(overlap.earlier, overlap.later));
    }
}
