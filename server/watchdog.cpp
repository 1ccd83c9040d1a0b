#include "server/watchdog.hpp"

#include "server/log.hpp"
#include "server/service.hpp"

#include <algorithm>
#include <system_error>

namespace interposed::server {

namespace {

/// So often within the time after which the manager would kill us: what is only slow has a chance.
constexpr int looks = 4;
/// For whom this is too seldom wants to know of what is only slow.
constexpr std::chrono::milliseconds shortest_interval{250};

} // namespace

Watchdog::Watchdog(asio::io_context& main, Loops& loops) : loops_(loops), timer_(main) {}

void Watchdog::start() {
    const std::chrono::microseconds wanted = service::watchdog_interval();
    if (wanted == std::chrono::microseconds::zero())
        return;
    interval_ = std::max<std::chrono::microseconds>(wanted / looks, shortest_interval);
    look();
}

void Watchdog::wait() {
    timer_.expires_after(interval_);
    timer_.async_wait([this](const std::error_code& cancelled) {
        if (!cancelled)
            look();
    });
}

void Watchdog::look() {
    const std::string wrong = loops_.standing_still();
    if (wrong.empty())
        service::alive();
    if (!wrong.empty() && wrong_.empty())
        log::error("the service manager is not told any more that this server is alive: " + wrong);
    if (wrong.empty() && !wrong_.empty())
        log::warning("the service manager is told again that this server is alive");
    wrong_ = wrong;
    wait();
}

} // namespace interposed::server
