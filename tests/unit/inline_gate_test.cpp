#include "devices/inline_gate.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

namespace interposed::devices {

namespace {

using namespace std::chrono_literals;
using Time = InlineGate::Clock::time_point;

/// One call that takes `duration`; returns whether it was let in.
bool call(InlineGate& gate, Time& now, InlineGate::Clock::duration duration) {
    if (!gate.enter(now))
        return false;
    const Time entered = now;
    now += duration;
    gate.leave(entered, now, 0);
    return true;
}

} // namespace

TEST_CASE("a gate lets quick calls through for ever", "[devices]") {
    InlineGate gate;
    Time now{1h};
    for (int i = 0; i < 10000; ++i)
        REQUIRE(call(gate, now, 2us));
}

TEST_CASE("one slow call among quick ones does not close the gate", "[devices]") {
    InlineGate gate;
    Time now{1h};
    for (int i = 0; i < 100; ++i)
        REQUIRE(call(gate, now, i % 20 == 10 ? 4ms : 2us));
}

TEST_CASE("calls that have become slow close the gate, and it is tried again later", "[devices]") {
    InlineGate gate;
    Time now{1h};
    int let_in = 0;
    while (call(gate, now, 200us))
        REQUIRE(++let_in < 20);
    CHECK_FALSE(gate.enter(now));
    now += InlineGate::shortest_rest;
    CHECK(call(gate, now, 200us));
}

TEST_CASE("a gate that stays slow rests longer and longer, up to a limit", "[devices]") {
    InlineGate gate;
    Time now{1h};
    InlineGate::Clock::duration longest{};
    for (int i = 0; i < 20; ++i) {
        while (call(gate, now, 300us)) {
        }
        const Time closed = now;
        while (!gate.enter(now))
            now += 100us;
        gate.leave(now, now + 300us, 0);
        longest = std::max(longest, now - closed);
    }
    CHECK(longest > 64ms);
    CHECK(longest <= InlineGate::longest_rest + 1ms);
}

TEST_CASE("a gate lets nobody in behind somebody who does not come out", "[devices]") {
    InlineGate gate;
    Time now{1h};
    REQUIRE(gate.enter(now));
    const Time stuck_since = now;
    now += 1ms;
    REQUIRE(gate.enter(now)); // cannot be known yet
    now += InlineGate::stuck_after + 1ms;
    CHECK_FALSE(gate.enter(now));
    gate.leave(stuck_since, now, 0);
    gate.leave(stuck_since, now, 0);
    now += InlineGate::longest_rest;
    CHECK(gate.enter(now));
}

TEST_CASE("time that a large copy takes anyway is not waiting", "[devices]") {
    InlineGate gate;
    Time now{1h};
    for (int i = 0; i < 1000; ++i) {
        const Time entered = now;
        REQUIRE(gate.enter(now));
        now += 1ms;
        gate.leave(entered, now, 1 << 20);
    }
}

} // namespace interposed::devices
