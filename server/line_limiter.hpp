#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

namespace interposed::server {

/// Keeps clients from filling the log: of the lines that they can bring about as often as they
/// like some at once are let through, then one for each interval. Thread-safe.
class LineLimiter {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr unsigned at_once = 10;
    static constexpr std::chrono::seconds interval{1};

    /// How many lines were left out before this one; nullopt: it is left out as well. Called with
    /// times that do not go back.
    std::optional<std::uint64_t> admit(Clock::time_point now);

private:
    std::mutex mutex_;
    /// Each line uses up an interval. No more than `at_once` of them may be used in advance.
    Clock::time_point used_up_to_{};
    std::uint64_t left_out_ = 0;
};

} // namespace interposed::server
