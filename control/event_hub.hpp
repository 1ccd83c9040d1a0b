#pragma once

#include "control/signal.hpp"
#include "server/events.hpp"

#include <array>
#include <list>
#include <optional>
#include <string>
#include <string_view>

namespace interposed::control {

/// By server::EventKind.
inline constexpr std::array<const char*, 11> event_names = {
    "connected", "disconnected", "created", "removed",  "loaded",     "swapped",
    "suspended", "resumed",      "drained", "reloaded", "flush_error"};

/// Brings events to those who wait for them. On the server's own thread.
class EventHub {
public:
    explicit EventHub(asio::io_context& context) : context_(context) {}

    void take(const server::ServerEvent& event) {
        for (Waiter& waiter : waiting_) {
            const bool wanted = (!waiter.kind || *waiter.kind == event.kind) &&
                                (!waiter.export_name || *waiter.export_name == event.export_name);
            if (wanted && !waiter.event) {
                waiter.event = event;
                waiter.came.trigger()();
            }
        }
    }

    /// The next event of that kind, or any, of that export, or any. nullopt: the deadline has
    /// passed first, or it was abandoned.
    asio::awaitable<std::optional<server::ServerEvent>> next(std::optional<server::EventKind> kind,
                                                             std::optional<std::string> export_name,
                                                             const void* asker,
                                                             Clock::time_point deadline) {
        if (closed_)
            co_return std::nullopt;
        const auto mine = waiting_.emplace(waiting_.end(), Waiter{.kind = kind,
                                                                  .export_name = export_name,
                                                                  .asker = asker,
                                                                  .event = std::nullopt,
                                                                  .came = Signal(context_)});
        const Remove at_the_end{waiting_, mine};
        Signal came = mine->came;
        co_await came.wait(deadline);
        co_return mine->event;
    }

    /// Nobody waits any more, from now on.
    void close() {
        closed_ = true;
        for (Waiter& waiter : waiting_)
            waiter.came.trigger()();
    }

    /// Whoever asked is gone.
    void abandon(const void* asker) {
        for (Waiter& waiter : waiting_) {
            if (waiter.asker == asker)
                waiter.came.trigger()();
        }
    }

private:
    struct Waiter {
        std::optional<server::EventKind> kind;
        std::optional<std::string> export_name;
        const void* asker = nullptr;
        std::optional<server::ServerEvent> event;
        Signal came;
    };
    struct Remove {
        std::list<Waiter>& from;
        std::list<Waiter>::iterator what;
        ~Remove() { from.erase(what); }
    };

    asio::io_context& context_;
    std::list<Waiter> waiting_;
    bool closed_ = false;
};

} // namespace interposed::control
