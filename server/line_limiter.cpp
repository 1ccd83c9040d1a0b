#include "server/line_limiter.hpp"

#include <algorithm>
#include <utility>

namespace interposed::server {

std::optional<std::uint64_t> LineLimiter::admit(Clock::time_point now) {
    const std::lock_guard lock(mutex_);
    const Clock::time_point next = std::max(used_up_to_, now) + interval;
    if (next > now + at_once * interval) {
        ++left_out_;
        return std::nullopt;
    }
    used_up_to_ = next;
    return std::exchange(left_out_, 0);
}

} // namespace interposed::server
