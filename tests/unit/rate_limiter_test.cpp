#include "server/rate_limiter.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>
#include <vector>

using namespace interposed;
using namespace interposed::server;
using namespace std::chrono_literals;

namespace {

using Clock = RateLimiter::Clock;
using std::chrono::nanoseconds;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

/// Some moment, for nothing here sleeps.
const Clock::time_point start{1h};

} // namespace

TEST_CASE("without a limit nobody waits", "[server]") {
    RateLimiter limiter;
    CHECK_FALSE(limiter.limits_anything());
    for (int i = 0; i < 1000; ++i)
        CHECK(limiter.reserve(32 * mib, start) == 0ns);
    CHECK(limiter.is_rested(start));
}

TEST_CASE("a burst is served at once, and then one request after the other", "[server]") {
    RateLimiter limiter({.iops = 1000, .iops_burst = 5});
    CHECK(limiter.limits_anything());
    for (int i = 0; i < 5; ++i)
        CHECK(limiter.reserve(4096, start) == 0ns);
    CHECK(limiter.reserve(4096, start) == 1ms);
    CHECK(limiter.reserve(0, start) == 2ms);
    CHECK(limiter.reserve(4096, start + 2ms) == 1ms);
    CHECK(limiter.reserve(4096, start + 4ms) == 0ns);
    CHECK_FALSE(limiter.is_rested(start + 8ms));
    CHECK(limiter.is_rested(start + 9ms));
}

TEST_CASE("rates that do not divide a second let their whole burst through", "[server]") {
    for (const std::uint64_t rate : {3, 7, 11, 999, 12345}) {
        RateLimiter limiter({.iops = rate, .iops_burst = 100});
        for (int i = 0; i < 100; ++i)
            CHECK(limiter.reserve(0, start) == 0ns);
        CHECK(limiter.reserve(0, start) > 0ns);
    }
}

TEST_CASE("without a burst it is what a tenth of a second brings, and at least one", "[server]") {
    RateLimiter tenth({.iops = 1000});
    for (int i = 0; i < 100; ++i)
        CHECK(tenth.reserve(0, start) == 0ns);
    CHECK(tenth.reserve(0, start) == 1ms);

    RateLimiter one({.iops = 1});
    CHECK(one.reserve(0, start) == 0ns);
    CHECK(one.reserve(0, start) == 1s);

    RateLimiter byte({.bandwidth = 1});
    CHECK(byte.reserve(1, start) == 0ns);
    CHECK(byte.reserve(1, start) == 1s);
}

TEST_CASE("rest saves up a burst and no more", "[server]") {
    RateLimiter limiter({.bandwidth = 1000, .bandwidth_burst = 500});
    CHECK(limiter.reserve(500, start) == 0ns);
    CHECK(limiter.reserve(500, start + 24h) == 0ns);
    CHECK(limiter.reserve(100, start + 24h) == 100ms);
}

TEST_CASE("a request larger than the burst waits for all of it, and others pay the rest",
          "[server]") {
    RateLimiter limiter({.bandwidth = mib, .bandwidth_burst = mib});
    CHECK(limiter.reserve(32 * mib, start) == 0ns);
    CHECK(limiter.reserve(mib, start) == 32s);
    CHECK(limiter.reserve(2 * mib, start + 33s) == 0ns);
    CHECK(limiter.reserve(32 * mib, start + 33s) == 2s);
    CHECK(limiter.reserve(0, start + 33s) == 33s);
}

TEST_CASE("of two limits the one that takes longer counts", "[server]") {
    RateLimiter limiter({.iops = 10, .iops_burst = 1, .bandwidth = 1000, .bandwidth_burst = 100});
    CHECK(limiter.reserve(100, start) == 0ns);
    CHECK(limiter.reserve(10, start) == 100ms);
    CHECK(limiter.reserve(1, start) == 200ms);
    CHECK(limiter.reserve(1000, start + 10s) == 0ns);
    CHECK(limiter.reserve(1, start + 10s) == 901ms);
}

TEST_CASE("who has reserved first is due first", "[server]") {
    std::mt19937 random(1);
    RateLimiter limiter(
        {.iops = 700, .iops_burst = 20, .bandwidth = 10 * mib, .bandwidth_burst = mib / 2});
    Clock::time_point now = start;
    Clock::time_point last_due = start;
    for (int i = 0; i < 20000; ++i) {
        now += nanoseconds(random() % 3'000'000);
        const auto due = now + limiter.reserve(random() % (64 << random() % 16), now);
        REQUIRE(due >= last_due);
        last_due = due;
    }
}

TEST_CASE("whoever always wants more gets the rate, and one burst on top", "[server]") {
    std::mt19937 random(2);
    RateLimiter limiter({.bandwidth = 10 * mib, .bandwidth_burst = mib});
    Clock::time_point now = start;
    std::uint64_t served = 0;
    while (now < start + 100s) {
        const std::uint64_t bytes = 1 + random() % 65536;
        now += limiter.reserve(bytes, now);
        served += bytes;
    }
    CHECK(served >= 1000 * mib);
    CHECK(served <= 1001 * mib + 65536 + mib / 100);
}

TEST_CASE("no rate is too large or too small, and no request", "[server]") {
    constexpr std::uint64_t huge = std::uint64_t{1} << 63;
    constexpr std::uint64_t largest = UINT64_MAX;
    RateLimiter fast({.iops = huge, .iops_burst = huge, .bandwidth = huge, .bandwidth_burst = 1});
    for (int i = 0; i < 100; ++i)
        CHECK(fast.reserve(32 * mib, start) <= 10ns);
    RateLimiter slow(
        {.iops = 1, .iops_burst = largest, .bandwidth = 1, .bandwidth_burst = largest});
    for (int i = 0; i < 100; ++i)
        CHECK(slow.reserve(largest, start) >= 0ns);
    RateLimiter debt({.bandwidth = 1});
    CHECK(debt.reserve(largest, start) == 0ns);
    nanoseconds last = 0ns;
    for (int i = 0; i < 10; ++i) {
        const nanoseconds wait = debt.reserve(largest, start);
        CHECK(wait >= last);
        CHECK(wait > 24h * 365 * 70);
        last = wait;
    }
}

TEST_CASE("new limits forget the debts of the old ones", "[server]") {
    RateLimiter limiter({.iops = 1, .bandwidth = 1});
    CHECK(limiter.reserve(mib, start) == 0ns);
    CHECK(limiter.reserve(mib, start) > 24h);
    limiter.set({.iops = 10, .iops_burst = 1});
    CHECK(limiter.limits() == config::RateLimit{.iops = 10, .iops_burst = 1});
    CHECK(limiter.reserve(mib, start) == 0ns);
    CHECK(limiter.reserve(mib, start) == 100ms);
    limiter.set({});
    CHECK_FALSE(limiter.limits_anything());
    CHECK(limiter.reserve(mib, start) == 0ns);
    CHECK(limiter.is_rested(start));
}

TEST_CASE("the same limits set again change nothing", "[server]") {
    const config::RateLimit limits{.iops = 1};
    RateLimiter limiter(limits);
    CHECK(limiter.reserve(0, start) == 0ns);
    const auto generation = limiter.generation();
    limiter.set(limits);
    CHECK(limiter.generation() == generation);
    CHECK(limiter.reserve(0, start) == 1s);
    limiter.set({.iops = 2});
    CHECK(limiter.generation() != generation);
}

TEST_CASE("a turn is waited for in steps", "[server]") {
    RateLimiter limiter({.iops = 4});
    CHECK(Turn(limiter, 0, start).left(start) == 0ns);
    Turn second(limiter, 0, start);
    CHECK(second.left(start) == 100ms);
    CHECK(second.left(start + 100ms) == 100ms);
    CHECK(second.left(start + 200ms) == 50ms);
    CHECK(second.left(start + 250ms) == 0ns);
    CHECK(second.left(start + 1h) == 0ns);
    CHECK(limiter.reserve(0, start + 250ms) == 250ms);
}

TEST_CASE("a turn learns of new limits at its next step", "[server]") {
    RateLimiter limiter({.iops = 1});
    std::vector<Turn> turns;
    for (int i = 0; i < 5; ++i)
        turns.emplace_back(limiter, 0, start);
    CHECK(turns.back().left(start) == 100ms);

    limiter.set({.iops = 100, .iops_burst = 2});
    const auto later = start + 50ms;
    CHECK(turns[1].left(later) == 0ns);
    CHECK(turns[2].left(later) == 0ns);
    CHECK(turns[3].left(later) == 10ms);
    CHECK(turns[4].left(later) == 20ms);
    CHECK(turns[3].left(later + 10ms) == 0ns);

    limiter.set({});
    CHECK(turns[4].left(later + 11ms) == 0ns);
}

TEST_CASE("all sessions of a client share one limiter", "[server]") {
    ClientLimiters clients({.iops = 1});
    const auto one = clients.of("10.0.0.1", start);
    const auto other = clients.of("10.0.0.2", start);
    CHECK(clients.of("10.0.0.1", start) == one);
    CHECK(one != other);
    CHECK(one->reserve(0, start) == 0ns);
    CHECK(one->reserve(0, start) == 1s);
    CHECK(other->reserve(0, start) == 0ns);
}

TEST_CASE("new limits hold for every client", "[server]") {
    ClientLimiters clients;
    const auto one = clients.of("a", start);
    CHECK_FALSE(one->limits_anything());
    clients.set({.iops = 5});
    CHECK(one->limits() == config::RateLimit{.iops = 5});
    CHECK(clients.of("b", start)->limits() == config::RateLimit{.iops = 5});
}

TEST_CASE("a client that connects again still has its debts", "[server]") {
    ClientLimiters clients({.iops = 1});
    CHECK(clients.of("a", start)->reserve(0, start) == 0ns);
    for (int i = 0; i < 500; ++i)
        (void)clients.of("other " + std::to_string(i), start);
    CHECK(clients.of("a", start)->reserve(0, start) == 1s);
}

TEST_CASE("limiters of clients that are gone do not pile up", "[server]") {
    ClientLimiters clients({.iops = 1});
    const auto here = clients.of("here", start);
    for (int i = 0; i < 10000; ++i)
        (void)clients.of(std::to_string(i), start);
    CHECK(clients.size() <= 65);
    CHECK(clients.of("here", start) == here);

    for (int i = 0; i < 50000; ++i) {
        const auto in_debt = clients.of(std::to_string(i), start);
        (void)in_debt->reserve(0, start);
    }
    CHECK(clients.size() <= 3 * 4096);
    CHECK(clients.of("here", start) == here);
}

TEST_CASE("threads that reserve at once get all the places, each of them once", "[server]") {
    constexpr int threads = 4;
    constexpr int each = 5000;
    RateLimiter limiter({.iops = 1000, .iops_burst = 1, .bandwidth = 1000, .bandwidth_burst = 1});
    std::vector<std::vector<nanoseconds>> waits(threads);
    {
        std::vector<std::jthread> running;
        for (int i = 0; i < threads; ++i)
            running.emplace_back([&limiter, &mine = waits[static_cast<std::size_t>(i)]] {
                for (int k = 0; k < each; ++k)
                    mine.push_back(limiter.reserve(1, start));
            });
    }
    std::vector<nanoseconds> all;
    for (const auto& mine : waits) {
        CHECK(std::is_sorted(mine.begin(), mine.end()));
        all.insert(all.end(), mine.begin(), mine.end());
    }
    // A thread can be first with one bucket and second with the other: then both get the later.
    CHECK(std::all_of(all.begin(), all.end(), [](nanoseconds wait) { return wait % 1ms == 0ns; }));
    CHECK(*std::max_element(all.begin(), all.end()) == (threads * each - 1) * 1ms);
    CHECK(limiter.reserve(1, start) == threads * each * 1ms);
}

TEST_CASE("no debt of old limits outlives them, whoever reserves meanwhile", "[server]") {
    RateLimiter limiter;
    std::atomic<bool> done = false;
    std::vector<std::jthread> running;
    for (int i = 1; i < 3; ++i)
        running.emplace_back([&limiter, &done, now = start + nanoseconds(i)]() mutable {
            for (; !done; now += 3ns) // no moment twice, as on a clock
                (void)limiter.reserve(mib, now);
        });
    bool debt = false;
    for (auto now = start; now < start + 300us && !debt; now += 3ns) {
        limiter.set({.bandwidth = 1}); // a single request owes days
        limiter.set({.bandwidth = 1000 * mib});
        debt = limiter.reserve(mib, now) > 24h;
    }
    done = true;
    CHECK_FALSE(debt);
}
