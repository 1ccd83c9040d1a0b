#include "fallback/vigil.hpp"

#include <catch2/catch.hpp>

using namespace std::chrono_literals;
using interposed::fallback::Sight;
using interposed::fallback::Vigil;
using Verdict = Vigil::Verdict;

namespace {

/// A moment, in seconds since some other.
Vigil::Clock::time_point at(std::chrono::seconds seconds) {
    return Vigil::Clock::time_point() + seconds;
}

const Sight served{.leads_here = true, .holder = "pid 5", .in_flight = 0, .done = 7};
const Sight unserved{.leads_here = true, .holder = "", .in_flight = 3, .done = 7};
const Sight stuck{.leads_here = true, .holder = "pid 5", .in_flight = 3, .done = 7};

} // namespace

TEST_CASE("a lease that nobody has for long enough is a server that is dead", "[fallback]") {
    Vigil vigil(30s);
    CHECK(vigil.judge(served, at(0s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(1s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(30s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(31s)) == Verdict::dead);
}

TEST_CASE("a server that is restarted in time is not given up", "[fallback]") {
    Vigil vigil(30s);
    CHECK(vigil.judge(unserved, at(0s)) == Verdict::well);
    CHECK(vigil.judge(served, at(29s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(30s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(59s)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(60s)) == Verdict::dead);
}

TEST_CASE("nobody is missed by a volume that does not lead to the server", "[fallback]") {
    Vigil vigil(30s);
    Sight elsewhere = unserved;
    elsewhere.leads_here = false;
    for (const auto moment : {0s, 31s, 1000s})
        CHECK(vigil.judge(elsewhere, at(moment)) == Verdict::well);
    CHECK(vigil.judge(unserved, at(1001s)) == Verdict::well);
}

TEST_CASE("a volume that answers nothing for long enough makes its server suspect", "[fallback]") {
    Vigil vigil(30s);
    CHECK(vigil.judge(served, at(0s)) == Verdict::well);
    CHECK(vigil.judge(stuck, at(10s)) == Verdict::well);
    CHECK(vigil.judge(stuck, at(39s)) == Verdict::well);
    CHECK(vigil.judge(stuck, at(40s)) == Verdict::suspect);
    vigil.begin_anew();
    CHECK(vigil.judge(stuck, at(41s)) == Verdict::well);
}

TEST_CASE("servers that die one after the other, and answer nothing, are one that is dead",
          "[fallback]") {
    Vigil vigil(30s);
    Sight next = stuck;
    CHECK(vigil.judge(served, at(0s)) == Verdict::well);
    for (int second = 1; second < 31; second += 6) {
        next.holder = "pid " + std::to_string(second);
        CHECK(vigil.judge(next, at(std::chrono::seconds(second))) == Verdict::well);
        CHECK(vigil.judge(unserved, at(std::chrono::seconds(second + 3))) == Verdict::well);
    }
    next.holder = "pid 31";
    CHECK(vigil.judge(next, at(31s)) == Verdict::dead);
    ++next.done; // the last of them has answered
    CHECK(vigil.judge(next, at(32s)) == Verdict::well);
    CHECK(vigil.judge(next, at(62s)) == Verdict::well);
    CHECK(vigil.judge(next, at(92s)) == Verdict::suspect);
}

TEST_CASE("as long as something is answered, or nothing asked, no server hangs", "[fallback]") {
    Vigil vigil(30s);
    Sight busy = stuck;
    for (int second = 0; second < 100; second += 10) {
        CHECK(vigil.judge(busy, at(std::chrono::seconds(second))) == Verdict::well);
        ++busy.done;
    }
    for (int second = 100; second < 200; second += 10)
        CHECK(vigil.judge(served, at(std::chrono::seconds(second))) == Verdict::well);
}
