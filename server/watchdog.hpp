#pragma once

#include "server/loop.hpp"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <string>

namespace interposed::server {

/// Tells the service manager that this process is alive, as often as it wants to hear it, for as
/// long as that is true: the main thread's loop turns, because this runs on it, and so do the loops
/// that serve clients. A loop that a device holds up is no reason for being killed: it would not
/// help, and others would suffer. On the main thread.
class Watchdog {
public:
    Watchdog(asio::io_context& main, Loops& loops);
    Watchdog(const Watchdog&) = delete;
    Watchdog& operator=(const Watchdog&) = delete;

    /// Nothing, if nobody wants to hear it.
    void start();
    /// So that nothing of it is left to be done.
    void stop() { timer_.cancel(); }

private:
    void wait();
    void look();

    Loops& loops_;
    asio::steady_timer timer_;
    std::chrono::microseconds interval_{};
    std::string wrong_; ///< what stood still when it was last looked at
};

} // namespace interposed::server
