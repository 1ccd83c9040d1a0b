#include "devices/inline_gate.hpp"

#include <algorithm>

namespace interposed::devices {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

std::int64_t ns(InlineGate::Clock::time_point at) {
    return std::chrono::nanoseconds(at.time_since_epoch()).count();
}

} // namespace

// The counters are statistics that steer, not locks: a lost update costs at most one call that
// goes the other way, so relaxed order is enough everywhere.

bool InlineGate::enter(Clock::time_point now) {
    const std::int64_t now_ns = ns(now);
    if (now_ns < closed_until_ns_.load(relaxed))
        return false;
    const bool stuck =
        inside_.load(relaxed) > 0 && now_ns - last_progress_ns_.load(relaxed) > stuck_after.count();
    if (stuck)
        return false;
    inside_.fetch_add(1, relaxed);
    last_progress_ns_.store(now_ns, relaxed);
    return true;
}

void InlineGate::leave(Clock::time_point entered, Clock::time_point now, std::uint64_t bytes) {
    const std::int64_t now_ns = ns(now);
    last_progress_ns_.store(now_ns, relaxed);
    inside_.fetch_sub(1, relaxed);
    // A byte a nanosecond is what copying may take at worst; what is over that is waiting. One
    // sample counts for no more than four slow calls: being preempted is not the device's fault.
    const std::int64_t waited = now_ns - ns(entered) - static_cast<std::int64_t>(bytes);
    note_cost(std::clamp<std::int64_t>(waited, 0, 4 * slow_average.count()), now_ns);
}

void InlineGate::note_cost(std::int64_t cost_ns, std::int64_t now_ns) {
    const std::int64_t before = average_ns_.load(relaxed);
    const std::int64_t average = before + (cost_ns - before) / 8;
    if (average <= slow_average.count()) {
        average_ns_.store(average, relaxed);
        if (average < slow_average.count() / 4 && rest_ns_.load(relaxed) > shortest_rest.count())
            rest_ns_.store(shortest_rest.count(), relaxed);
        return;
    }
    const std::int64_t rest = rest_ns_.load(relaxed);
    closed_until_ns_.store(now_ns + rest, relaxed);
    rest_ns_.store(std::min<std::int64_t>(2 * rest, longest_rest.count()), relaxed);
    average_ns_.store(slow_average.count() * 3 / 4, relaxed); // soon closed again if still slow
}

} // namespace interposed::devices
