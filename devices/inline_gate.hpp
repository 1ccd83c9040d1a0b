#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace interposed::devices {

/// Lets system calls that could block run on the caller's thread for as long as they prove to be
/// quick: a buffered write is a memory copy until the filesystem is frozen or must write back,
/// and then the same call waits for seconds. One gate per device. Thread-safe, lock-free.
///
/// The gate closes for a while when calls have become slow on average, and at once when somebody
/// who is inside has not come out for `stuck_after`: of the callers that a stuck device could
/// catch, only those that were already inside are.
class InlineGate {
public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::chrono::nanoseconds slow_average = std::chrono::microseconds(60);
    static constexpr std::chrono::nanoseconds stuck_after = std::chrono::milliseconds(2);
    static constexpr std::chrono::nanoseconds shortest_rest = std::chrono::milliseconds(1);
    static constexpr std::chrono::nanoseconds longest_rest = std::chrono::milliseconds(128);

    /// Whether a call may be made now. Each true must be followed by leave().
    [[nodiscard]] bool enter(Clock::time_point now);

    /// The call entered at `entered` has returned at `now`, having moved `bytes`.
    void leave(Clock::time_point entered, Clock::time_point now, std::uint64_t bytes);

private:
    void note_cost(std::int64_t cost_ns, std::int64_t now_ns);

    std::atomic<unsigned> inside_{0};
    std::atomic<std::int64_t> last_progress_ns_{0}; ///< when somebody last went in or came out
    std::atomic<std::int64_t> closed_until_ns_{0};
    std::atomic<std::int64_t> average_ns_{0};
    std::atomic<std::int64_t> rest_ns_{shortest_rest.count()};
};

} // namespace interposed::devices
