#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>

namespace interposed::control {

using Clock = std::chrono::steady_clock;

/// Something that happens once, on any thread, and that one coroutine of `context` waits for.
class Signal {
public:
    explicit Signal(asio::io_context& context) : state_(std::make_shared<State>(context)) {}

    /// What makes it happen. May outlive the signal, and be called by any thread.
    [[nodiscard]] std::function<void()> trigger() const {
        return [state = state_] {
            asio::post(state->context, [state] {
                state->happened = true;
                state->timer.cancel();
            });
        };
    }

    /// False: the deadline has passed first. On the context's thread.
    asio::awaitable<bool> wait(Clock::time_point deadline) {
        const auto state = state_;
        if (!state->happened) {
            std::error_code ignored;
            state->timer.expires_at(deadline);
            co_await state->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        }
        co_return state->happened;
    }

private:
    struct State {
        explicit State(asio::io_context& on) : context(on), timer(on) {}
        asio::io_context& context;
        asio::steady_timer timer;
        bool happened = false;
    };
    std::shared_ptr<State> state_;
};

} // namespace interposed::control
