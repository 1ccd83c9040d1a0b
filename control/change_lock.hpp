#pragma once

#include "control/refusal.hpp"
#include "control/signal.hpp"

#include <deque>
#include <memory>
#include <string>
#include <utility>

namespace interposed::control {

/// One change of what is served at a time; others wait their turn, for a while. On one thread.
class ChangeLock {
public:
    static constexpr std::chrono::seconds patience{60};

    explicit ChangeLock(asio::io_context& context) : context_(context) {}

    class Held {
    public:
        explicit Held(ChangeLock& of) : of_(&of) {}
        Held(Held&& other) noexcept : of_(std::exchange(other.of_, nullptr)) {}
        Held& operator=(Held&&) = delete;
        ~Held() {
            if (of_ != nullptr)
                of_->pass_on();
        }

    private:
        ChangeLock* of_;
    };

    /// Throws Refusal, which names the change that is under way.
    asio::awaitable<Held> take(const char* what, std::string name) {
        if (!current_.empty()) {
            const auto turn = std::make_shared<Signal>(context_);
            waiting_.push_back(turn);
            const bool mine = co_await turn->wait(Clock::now() + patience);
            if (!mine && std::erase(waiting_, turn) > 0)
                throw Refusal(RefusalKind::busy, busy_text());
        }
        current_ = what + (name.empty() ? name : " of export \"" + name + "\"");
        since_ = Clock::now();
        co_return Held(*this);
    }

private:
    [[nodiscard]] std::string busy_text() const {
        const auto lasts =
            std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - since_).count();
        return "another change is under way since " + std::to_string(lasts) + " s: " + current_;
    }

    void pass_on() {
        if (waiting_.empty()) {
            current_.clear();
            return;
        }
        current_ = "one that begins"; // taken: nobody may come in between
        const auto next = waiting_.front();
        waiting_.pop_front();
        next->trigger()();
    }

    asio::io_context& context_;
    std::string current_; ///< empty: free
    Clock::time_point since_{};
    std::deque<std::shared_ptr<Signal>> waiting_;
};

} // namespace interposed::control
