#pragma once

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

namespace interposed::server {

/// Wakes every waiter. Not thread-safe: all users run on one session's strand. Waiting is always
/// `while (condition) co_await event.wait();`, so a wake-up too many does no harm, and none is
/// lost because nothing suspends between the test and the wait.
class Event {
public:
    explicit Event(const asio::any_io_executor& on)
        : never_(on, asio::steady_timer::time_point::max()) {}

    void notify_all() {
        if (waiters_ > 0)
            never_.cancel();
    }

    asio::awaitable<void> wait() {
        ++waiters_;
        std::error_code woken; // operation_aborted: that is the wake-up, not a failure
        co_await never_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        --waiters_;
    }

private:
    asio::steady_timer never_;
    unsigned waiters_ = 0;
};

} // namespace interposed::server
