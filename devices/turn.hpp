#pragma once

#include <atomic>
#include <chrono>

namespace interposed::devices {

/// One thread's time of running an event loop, for whoever watches over the loops. While the
/// thread is inside a system call that could block, the turn says since when. A thread that has
/// been in one for too long loses the loop to another: its turn is over, though it may still have
/// to finish what it was doing. The marks are the turn's and not the loop's, so that the threads
/// of two turns never touch each other's.
class Turn {
public:
    using Clock = std::chrono::steady_clock;

    /// Of the calling thread; null if it runs no loop.
    static Turn*& current() {
        static thread_local Turn* turn = nullptr;
        return turn;
    }

    void blocking_begins(Clock::time_point now) {
        since_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    void blocking_ends() { since_.store(0, std::memory_order_relaxed); }
    [[nodiscard]] bool in_call() const { return since_.load(std::memory_order_relaxed) != 0; }
    [[nodiscard]] bool stuck(Clock::time_point now, Clock::duration limit) const {
        const auto since = since_.load(std::memory_order_relaxed);
        return since != 0 && now.time_since_epoch().count() - since > limit.count();
    }

    void end() { over_.store(true, std::memory_order_relaxed); }
    [[nodiscard]] bool over() const { return over_.load(std::memory_order_relaxed); }

private:
    std::atomic<Clock::rep> since_{0};
    std::atomic<bool> over_{false};
};

/// Marks a system call that could block, on whatever thread.
class BlockingCall {
public:
    explicit BlockingCall(Turn::Clock::time_point now) : turn_(Turn::current()) {
        if (turn_ != nullptr)
            turn_->blocking_begins(now);
    }
    ~BlockingCall() {
        if (turn_ != nullptr)
            turn_->blocking_ends();
    }
    BlockingCall(const BlockingCall&) = delete;
    BlockingCall& operator=(const BlockingCall&) = delete;

private:
    Turn* turn_;
};

} // namespace interposed::devices
