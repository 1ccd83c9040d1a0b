#pragma once

#include <atomic>
#include <cstdint>

namespace interposed::server {

/// The memory that all clients together may take beyond a small share that each has for itself.
/// Whoever gets none waits, and reads nothing more from its client. Thread-safe.
class MemoryBudget {
public:
    static constexpr std::uint64_t default_total = std::uint64_t{1} << 30;

    explicit MemoryBudget(std::uint64_t total = default_total) : total_(total) {}

    /// False: not so much now, and that is remembered.
    bool take(std::uint64_t bytes) {
        std::uint64_t taken = taken_.load(std::memory_order_relaxed);
        do {
            const std::uint64_t total = this->total();
            if (taken > total || bytes > total - taken) {
                short_.store(true, std::memory_order_relaxed);
                return false;
            }
        } while (!taken_.compare_exchange_weak(taken, taken + bytes, std::memory_order_relaxed));
        return true;
    }

    void give_back(std::uint64_t bytes) { taken_.fetch_sub(bytes, std::memory_order_relaxed); }

    /// Whether somebody got none since this was last asked.
    bool was_short() { return short_.exchange(false, std::memory_order_relaxed); }

    /// What is taken beyond it is given back in time.
    void set_total(std::uint64_t total) { total_.store(total, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t taken() const { return taken_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> total_; ///< bytes
    std::atomic<std::uint64_t> taken_{0};
    std::atomic<bool> short_{false};
};

/// What one client has taken of one budget, or of two at the same time: that of all, and that of
/// the export it uses. Gives it back when it goes. Not thread-safe.
class MemoryShare {
public:
    explicit MemoryShare(MemoryBudget& budget, MemoryBudget* second = nullptr)
        : budget_(budget), second_(second) {}
    ~MemoryShare() { shrink_to(0); }
    MemoryShare(const MemoryShare&) = delete;
    MemoryShare& operator=(const MemoryShare&) = delete;

    /// Takes what is missing to `bytes`. False: there is not so much; then it stays as it was.
    bool grow_to(std::uint64_t bytes) {
        if (bytes <= taken_)
            return true;
        const std::uint64_t more = bytes - taken_;
        if (second_ != nullptr && !second_->take(more))
            return false;
        if (!budget_.take(more)) {
            if (second_ != nullptr)
                second_->give_back(more);
            return false;
        }
        taken_ = bytes;
        return true;
    }

    /// Gives back what is more than `bytes`.
    void shrink_to(std::uint64_t bytes) {
        if (bytes >= taken_)
            return;
        budget_.give_back(taken_ - bytes);
        if (second_ != nullptr)
            second_->give_back(taken_ - bytes);
        taken_ = bytes;
    }

    [[nodiscard]] std::uint64_t taken() const { return taken_; }

private:
    MemoryBudget& budget_;
    MemoryBudget* const second_;
    std::uint64_t taken_ = 0; ///< bytes
};

} // namespace interposed::server
