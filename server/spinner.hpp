#pragma once

#include <chrono>
#include <cstdint>

namespace interposed::server {

/// Decides whether waiting for a moment without sleeping is worth it. Being woken costs a sleeper
/// more than a quick client needs to ask again; but a core that spins is taken from somebody
/// else. Spins that find nothing make the next ones rarer, and a thread that is being pushed off
/// its core gives way for a while. Not thread-safe.
class Spinner {
public:
    using Clock = std::chrono::steady_clock;

    static constexpr std::chrono::nanoseconds longest = std::chrono::microseconds(50);
    static constexpr std::chrono::nanoseconds give_way_for = std::chrono::milliseconds(100);

    /// Calls `arrived` until it is true or the time is up; whether it was.
    template <typename Arrived>
    bool spin(Arrived arrived) {
        if (skip_ > 0) {
            --skip_;
            return false;
        }
        const auto began = Clock::now();
        if (began < not_before_)
            return false;
        const long switches = involuntary_switches();
        for (auto now = began; now - began < longest; now = Clock::now()) {
            for (unsigned i = 0; i < polls_per_look; ++i) {
                if (arrived()) {
                    failures_ = 0;
                    return true;
                }
            }
        }
        failed(involuntary_switches() != switches);
        return false;
    }

private:
    static constexpr unsigned polls_per_look = 4;
    static constexpr unsigned most_skipped = 64;

    static long involuntary_switches();
    void failed(bool pushed_off);

    unsigned failures_ = 0;
    unsigned skip_ = 0;
    Clock::time_point not_before_{};
};

} // namespace interposed::server
