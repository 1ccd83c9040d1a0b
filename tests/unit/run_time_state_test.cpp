#include "control/run_time_state.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;
using interposed::control::with_run_time_state;

TEST_CASE("what no file speaks of stays as it is at run time, and nothing else", "[control]") {
    Export written;
    written.name = "vol";
    written.claim = Claim::shared;
    Export now = written;
    now.description = "changed at run time";
    now.claim = Claim::adopted;
    now.interposed.emplace().volume = "v";
    now.attach.emplace().device = "auto";

    const Export wanted = with_run_time_state(written, now);
    CHECK(wanted.claim == Claim::adopted);
    CHECK(wanted.interposed == now.interposed);
    CHECK(wanted.attach == now.attach);
    CHECK(wanted.description.empty());

    // Released again, it is what the file says, whichever of the two that is.
    written.claim = Claim::adopted;
    now.claim = Claim::shared;
    CHECK(with_run_time_state(written, now).claim == Claim::shared);
}

TEST_CASE("a file that names a device, or an exclusive claim, is heard", "[control]") {
    Export written;
    written.attach.emplace().device = "/dev/nbd0";
    Export now;
    now.claim = Claim::adopted;
    now.attach.emplace().device = "/dev/nbd1";
    CHECK(with_run_time_state(written, now) == written);
    written.claim = Claim::shared;
    now.claim = Claim::exclusive;
    CHECK(with_run_time_state(written, now) == written);
}
