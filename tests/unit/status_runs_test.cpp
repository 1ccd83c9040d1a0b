#include "server/status_runs.hpp"

#include <catch2/catch.hpp>

namespace interposed::server {

namespace {

constexpr std::uint32_t hole = devices::StatusRun::hole | devices::StatusRun::zero;
constexpr std::uint32_t zero = devices::StatusRun::zero;

StatusRuns runs_of(const StatusRuns& runs, std::uint64_t offset, std::uint64_t end) {
    return whole_block_runs(runs, offset, end, 512, hole);
}

} // namespace

TEST_CASE("runs that meet within a sector share it, with what is true of all of it", "[server]") {
    CHECK(runs_of({{1000, hole}, {3096, 0}}, 0, 4096) == StatusRuns{{512, hole}, {3584, 0}});
    CHECK(runs_of({{3096, 0}, {1000, hole}}, 0, 4096) == StatusRuns{{3584, 0}, {512, hole}});
    CHECK(runs_of({{1000, hole}, {3096, zero}}, 0, 4096) == StatusRuns{{512, hole}, {3584, zero}});
}

TEST_CASE("small runs that fall within one sector are all of it", "[server]") {
    CHECK(runs_of({{520, hole}, {10, 0}, {3566, hole}}, 0, 4096) ==
          StatusRuns{{512, hole}, {512, 0}, {3072, hole}});
    CHECK(runs_of({{10, zero}, {10, hole}, {4076, hole}}, 0, 4096) ==
          StatusRuns{{512, zero}, {3584, hole}});
}

TEST_CASE("equal neighbours become one", "[server]") {
    CHECK(runs_of({{1024, hole}, {1024, hole}, {2048, 0}}, 0, 4096) ==
          StatusRuns{{2048, hole}, {2048, 0}});
    CHECK(whole_block_runs({{1024, hole}, {1024, zero}, {2048, 0}}, 0, 4096, 512, zero) ==
          StatusRuns{{2048, zero}, {2048, 0}});
}

TEST_CASE("what was asked about may begin and end anywhere", "[server]") {
    CHECK(runs_of({{1000, hole}, {24, 0}}, 3000, 4024) == StatusRuns{{584, hole}, {440, 0}});
    CHECK(runs_of({{7, hole}}, 3000, 3007) == StatusRuns{{7, hole}});
    CHECK(runs_of({{3, hole}, {4, 0}}, 3000, 3007) == StatusRuns{{7, 0}});
}

TEST_CASE("runs that stop early stop at a sector, if that leaves any", "[server]") {
    CHECK(runs_of({{1000, hole}}, 0, 4096) == StatusRuns{{512, hole}});
    CHECK(runs_of({{100, hole}}, 0, 4096) == StatusRuns{{100, hole}});
    CHECK(runs_of({}, 0, 4096).empty());
}

} // namespace interposed::server
