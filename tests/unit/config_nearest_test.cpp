#include "config/nearest.hpp"

#include <array>
#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

constexpr std::array<std::string_view, 4> known = {"device", "start", "offset", "read_only"};

} // namespace

TEST_CASE("the nearest word is the one with the fewest slips", "[config]") {
    CHECK(nearest("devcie", known) == "device"); // two letters swapped
    CHECK(nearest("ofset", known) == "offset");  // one left out
    CHECK(nearest("starrt", known) == "start");  // one too many
    CHECK(nearest("stard", known) == "start");   // one wrong
    CHECK(nearest("READ-ONLY", known) == "read_only");
    CHECK(nearest("readonly", known) == "read_only");
}

TEST_CASE("a word that is like none has no nearest", "[config]") {
    CHECK(nearest("", known).empty());
    CHECK(nearest("x", known).empty());
    CHECK(nearest("encryption", known).empty());
    CHECK(nearest(std::string(100000, 'd'), known).empty());
}
