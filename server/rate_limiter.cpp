#include "server/rate_limiter.hpp"

#include <algorithm>

namespace interposed::server {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t default_depth = second / 10;
/// Times are cut off here, 73 and 146 years away, so that sums of them cannot overflow.
constexpr std::int64_t longest_time = INT64_MAX / 4;
constexpr std::int64_t farthest_moment = INT64_MAX / 2;

/// In how many ns so many tokens come in. Rounded down, so that the tokens of a burst never take
/// longer one by one than together; above a thousand million a second one takes no time at all.
std::int64_t time_for(std::uint64_t tokens, std::uint64_t rate) {
    const Wide time = Wide{tokens} * static_cast<std::uint64_t>(second) / rate;
    return static_cast<std::int64_t>(std::min(time, Wide{longest_time}));
}

std::int64_t nanoseconds(RateLimiter::Clock::time_point moment) {
    return std::chrono::nanoseconds(moment.time_since_epoch()).count();
}

} // namespace

void TokenBucket::set(std::uint64_t rate, std::uint64_t burst) {
    std::int64_t depth = 0;
    if (rate != 0)
        depth = burst != 0 ? time_for(burst, rate) : std::max(default_depth, time_for(1, rate));
    rate_.store(rate, std::memory_order_relaxed);
    depth_.store(depth, std::memory_order_relaxed);
    // Last: who sees this moment, or one that was made from it, sees the new rate as well.
    full_at_.store(always_full + ++sets_, std::memory_order_release);
}

std::int64_t TokenBucket::take(std::uint64_t tokens, std::int64_t now) {
    std::int64_t full_at = full_at_.load(std::memory_order_acquire);
    for (;;) {
        const std::uint64_t rate = rate_.load(std::memory_order_relaxed);
        if (rate == 0)
            return now;
        const std::int64_t depth = depth_.load(std::memory_order_relaxed);
        const std::int64_t cost = time_for(tokens, rate);
        const std::int64_t base = std::max(full_at, now);
        const std::int64_t next = std::min(base, farthest_moment - cost) + cost;
        if (full_at_.compare_exchange_weak(full_at, next, std::memory_order_acq_rel,
                                           std::memory_order_acquire))
            return base - (depth - std::min(cost, depth));
    }
}

bool TokenBucket::is_full(std::int64_t now) const {
    return full_at_.load(std::memory_order_relaxed) <= now;
}

void RateLimiter::set(const config::RateLimit& limits) {
    const std::lock_guard lock(changing_);
    if (limits == limits_)
        return;
    limits_ = limits;
    requests_.set(limits.iops, limits.iops_burst);
    bytes_.set(limits.bandwidth, limits.bandwidth_burst);
    limits_anything_.store(limits.iops != 0 || limits.bandwidth != 0, std::memory_order_relaxed);
    // Behind the buckets: who knows the new generation cannot have been told an old wait.
    generation_.fetch_add(1, std::memory_order_release);
}

config::RateLimit RateLimiter::limits() const {
    const std::lock_guard lock(changing_);
    return limits_;
}

std::chrono::nanoseconds RateLimiter::reserve(std::uint64_t bytes, Clock::time_point now) noexcept {
    const std::int64_t at = nanoseconds(now);
    const std::int64_t due = std::max(requests_.take(1, at), bytes_.take(bytes, at));
    return std::chrono::nanoseconds(std::max(due, at) - at);
}

bool RateLimiter::is_rested(Clock::time_point now) const {
    return requests_.is_full(nanoseconds(now)) && bytes_.is_full(nanoseconds(now));
}

Turn::Turn(RateLimiter& limiter, std::uint64_t bytes, RateLimiter::Clock::time_point now)
    : limiter_(&limiter), bytes_(bytes) {
    reserve(now);
}

void Turn::reserve(RateLimiter::Clock::time_point now) {
    generation_ = limiter_->generation();
    due_ = now + limiter_->reserve(bytes_, now);
}

std::chrono::nanoseconds Turn::left(RateLimiter::Clock::time_point now) {
    if (now >= due_)
        return std::chrono::nanoseconds(0);
    if (limiter_->generation() != generation_)
        reserve(now);
    return std::min<std::chrono::nanoseconds>(due_ - now, longest_step);
}

std::shared_ptr<RateLimiter> ClientLimiters::of(const std::string& client,
                                                RateLimiter::Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const auto known = limiters_.find(client);
    if (known != limiters_.end())
        return known->second;
    if (limiters_.size() >= sweep_at_)
        sweep(now);
    return limiters_.emplace(client, std::make_shared<RateLimiter>(each_)).first->second;
}

void ClientLimiters::set(const config::RateLimit& each) {
    const std::lock_guard lock(mutex_);
    each_ = each;
    for (const auto& [client, limiter] : limiters_)
        limiter->set(each);
}

std::size_t ClientLimiters::size() const {
    const std::lock_guard lock(mutex_);
    return limiters_.size();
}

/// Drops those without a session, once the map has grown to twice what was left the last time.
void ClientLimiters::sweep(RateLimiter::Clock::time_point now) {
    constexpr std::size_t fewest = 64;
    constexpr std::size_t most_in_debt = 4096; // of clients that are gone: some owe for years
    std::size_t in_debt = 0;
    std::erase_if(limiters_, [&](const auto& entry) {
        const auto& limiter = entry.second;
        if (limiter.use_count() > 1) // only of() makes it more than one, under the mutex
            return false;
        return limiter->is_rested(now) || ++in_debt > most_in_debt;
    });
    sweep_at_ = std::max(fewest, limiters_.size() * 2);
}

} // namespace interposed::server
