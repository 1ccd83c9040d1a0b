#include "server/line_limiter.hpp"

#include <catch2/catch.hpp>

namespace interposed::server {

namespace {

using Clock = LineLimiter::Clock;
constexpr Clock::time_point start{std::chrono::hours(1)};

} // namespace

TEST_CASE("some lines are let through at once, and no more", "[server]") {
    LineLimiter limiter;
    for (unsigned i = 0; i < LineLimiter::at_once; ++i)
        CHECK(limiter.admit(start) == 0U);
    for (unsigned i = 0; i < 1000; ++i)
        CHECK_FALSE(limiter.admit(start));
}

TEST_CASE("then there is one line for each interval, which tells of those before", "[server]") {
    LineLimiter limiter;
    while (limiter.admit(start)) {
    }
    Clock::time_point now = start;
    CHECK_FALSE(limiter.admit(now + LineLimiter::interval / 2));
    now += LineLimiter::interval;
    CHECK(limiter.admit(now) == 2U);
    CHECK_FALSE(limiter.admit(now));
    now += LineLimiter::interval;
    CHECK(limiter.admit(now) == 1U);
}

TEST_CASE("after a rest some lines are let through at once again", "[server]") {
    LineLimiter limiter;
    while (limiter.admit(start)) {
    }
    const Clock::time_point later = start + 100 * LineLimiter::at_once * LineLimiter::interval;
    CHECK(limiter.admit(later) == 1U);
    unsigned more = 0;
    while (limiter.admit(later))
        ++more;
    CHECK(more == LineLimiter::at_once - 1);
}

} // namespace interposed::server
