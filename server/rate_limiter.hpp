#pragma once

#include "config/config.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace interposed::server {

/// Tokens that come in evenly at a rate, and are saved up to a burst. All that is kept is the
/// moment at which none will be missing (the theoretical arrival time of the generic cell rate
/// algorithm): taking tokens moves it on, and nothing has to run to put new ones in. Thread-safe.
class TokenBucket {
public:
    /// From now on `rate` tokens a second, or any number if it is 0; a burst of 0 stands for those
    /// of a tenth of a second, at least one. What was taken before is forgotten, also by those who
    /// are taking some at this moment. Calls must not overlap.
    void set(std::uint64_t rate, std::uint64_t burst);

    /// Takes so many tokens, and gives the moment at which they are there. Moments are nanoseconds
    /// of the steady clock.
    std::int64_t take(std::uint64_t tokens, std::int64_t now);

    [[nodiscard]] bool is_full(std::int64_t now) const;

private:
    /// Full whatever the time is. Each set() uses another such moment: a take() that has reckoned
    /// with the limits before then finds that the moment it started from has changed.
    static constexpr std::int64_t always_full = INT64_MIN;

    std::atomic<std::uint64_t> rate_{0}; ///< tokens a second; 0: no limit
    std::atomic<std::int64_t> depth_{0}; ///< the time in which a burst comes in, in ns
    std::atomic<std::int64_t> full_at_{always_full};
    std::int64_t sets_ = 0;
};

/// Tells requests how long they have to wait so that no more than a limit is served. It sleeps for
/// nobody and keeps no queue: each caller waits for itself, best through a Turn. Thread-safe.
class RateLimiter {
public:
    using Clock = std::chrono::steady_clock;

    explicit RateLimiter(const config::RateLimit& limits = {}) { set(limits); }

    /// Changes the limits while they are in use. If they differ from those before, all debts are
    /// forgotten, and generation() changes: whoever waits then reserves again, so that nobody sits
    /// out a wait that was reckoned at the old rate.
    void set(const config::RateLimit& limits);
    [[nodiscard]] config::RateLimit limits() const;
    [[nodiscard]] bool limits_anything() const {
        return limits_anything_.load(std::memory_order_relaxed);
    }

    /// Reserves a place for one request of `bytes`, and returns how long the caller must wait
    /// before it is served; zero: not at all. Who has reserved first is due first. A request larger
    /// than the burst is due once the whole burst is there, and those behind it wait for the rest.
    /// Never throws.
    [[nodiscard]] std::chrono::nanoseconds reserve(std::uint64_t bytes,
                                                   Clock::time_point now) noexcept;

    /// To be noted before reserve(), so that a change during it is not missed.
    [[nodiscard]] std::uint32_t generation() const {
        return generation_.load(std::memory_order_acquire);
    }

    /// Whether a new limiter in its place would let nothing more through.
    [[nodiscard]] bool is_rested(Clock::time_point now) const;

private:
    TokenBucket requests_;
    TokenBucket bytes_;
    std::atomic<std::uint32_t> generation_{0};
    std::atomic<bool> limits_anything_{false};
    mutable std::mutex changing_;
    config::RateLimit limits_; ///< guarded by changing_
};

/// The place of one request in the order of a limiter, for a caller that sleeps in steps: until
/// left() is zero, sleep for that long and ask again. The limiter must outlive it.
class Turn {
public:
    /// The longest step: within it everyone has learnt of new limits.
    static constexpr std::chrono::milliseconds longest_step{100};

    Turn(RateLimiter& limiter, std::uint64_t bytes, RateLimiter::Clock::time_point now);

    /// How long to sleep before asking again; zero: it is due.
    [[nodiscard]] std::chrono::nanoseconds left(RateLimiter::Clock::time_point now);

private:
    void reserve(RateLimiter::Clock::time_point now);

    RateLimiter* limiter_;
    std::uint64_t bytes_;
    std::uint32_t generation_ = 0;
    RateLimiter::Clock::time_point due_;
};

/// A limiter for each client, by a key that all its sessions share. It is kept while one of them
/// lives, and until its debts are paid: else a client could get a new one by connecting again.
/// Thread-safe.
class ClientLimiters {
public:
    explicit ClientLimiters(const config::RateLimit& each = {}) : each_(each) {}

    /// For a session to keep as long as it lives.
    [[nodiscard]] std::shared_ptr<RateLimiter> of(const std::string& client,
                                                  RateLimiter::Clock::time_point now);
    /// Changes the limits of every client, known or to come.
    void set(const config::RateLimit& each);

    /// How many are kept, those that may go among them.
    [[nodiscard]] std::size_t size() const;

private:
    void sweep(RateLimiter::Clock::time_point now);

    mutable std::mutex mutex_; ///< taken before that of a limiter
    config::RateLimit each_;
    std::unordered_map<std::string, std::shared_ptr<RateLimiter>> limiters_;
    std::size_t sweep_at_ = 0; ///< entries
};

} // namespace interposed::server
