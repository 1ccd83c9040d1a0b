#include "control/administration.hpp"
#include "control/exports_by_name.hpp"
#include "devices/device.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

// Changing what is under the hands of clients: they pause, what they wrote is flushed, the change
// is recorded, the new is put in place of the old, and they go on. Up to the last step but one,
// whatever fails ends with everybody going on as before.
namespace interposed::control {

namespace log = server::log;
using config::in_quotes;
using server::EventKind;
using server::Terms;

namespace {

/// How soon it is seen that the server is stopping.
constexpr std::chrono::milliseconds look_around{200};

/// The first few of those who are waited for.
std::string names_of(const std::vector<std::string>& waited_for) {
    constexpr std::size_t most = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, waited_for.size()); ++i)
        text += (i > 0 ? ", " : "") + waited_for[i];
    if (waited_for.size() > most)
        text += " and " + std::to_string(waited_for.size() - most) + " more";
    return text;
}

Clock::time_point deadline_of(Administration::Seconds timeout) {
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout);
}

} // namespace

/// Throws where the server is stopping: sessions take nothing more then, but do not pause either.
void Administration::check_running() const {
    if (server_.stopping())
        throw Refusal(RefusalKind::refused, "the server is stopping");
}

void Administration::check_compatible(const Swap& swap) const {
    if (swap.live->connections() == 0)
        return;
    const auto now = swap.live->now();
    const std::string why = Terms::of(*now).why_not(Terms::of(*swap.next));
    if (!why.empty())
        throw Refusal(RefusalKind::refused, export_text(swap.live->now()->name) + " has clients: " +
                                                why + "; they would have to be disconnected first");
}

/// Waits until nothing is in flight. Of those that are suspended already nothing is.
asio::awaitable<void> Administration::hold(std::span<Swap> swaps, Clock::time_point deadline) {
    std::vector<Signal> quiet;
    for (Swap& swap : swaps) {
        quiet.emplace_back(server_.context());
        if (swap.live->held()) {
            quiet.back().trigger()();
            continue;
        }
        swap.held_here = true;
        swap.live->hold(quiet.back().trigger());
    }
    for (std::size_t i = 0; i < swaps.size(); ++i) {
        bool in_time = false;
        while (!in_time && !server_.stopping() && Clock::now() < deadline)
            in_time = co_await quiet[i].wait(std::min(deadline, Clock::now() + look_around));
        if (in_time)
            continue;
        const auto waited_for = swaps[i].live->waiting_for();
        give_up(swaps);
        check_running();
        throw Refusal(RefusalKind::timeout, export_text(swaps[i].live->now()->name) +
                                                ": requests have not come to an end in time, of " +
                                                names_of(waited_for) +
                                                "; everything goes on as before");
    }
}

asio::awaitable<void> Administration::flush(std::span<const Swap> swaps,
                                            Clock::time_point deadline) {
    std::vector<ExportPointer> all;
    for (const Swap& swap : swaps)
        all.push_back(swap.live->now());
    auto work = [all = std::move(all)] {
        for (const auto& each : all) {
            for (const auto& device : each->opened) {
                if (const int error = each->read_only ? 0 : device->flush(); error != 0)
                    throw Refusal(RefusalKind::failed,
                                  export_text(each->name) + ": flush of " +
                                      in_quotes(device->info().path) +
                                      " failed: " + std::generic_category().message(error) +
                                      "; everything goes on as before");
            }
        }
    };
    co_await jobs_.run("flushing the devices", std::move(work), deadline);
}

void Administration::give_up(std::span<const Swap> swaps) {
    for (const Swap& swap : swaps) {
        if (swap.held_here)
            swap.live->go_on([] {});
        if (swap.closed_here)
            swap.live->drain(false);
    }
}

/// Everybody goes on with what there is now.
asio::awaitable<void> Administration::go_on(std::span<const Swap> swaps) {
    std::vector<Signal> gone_on;
    for (const Swap& swap : swaps) {
        gone_on.emplace_back(server_.context());
        swap.live->go_on(gone_on.back().trigger());
    }
    const Clock::time_point deadline = Clock::now() + close_deadline;
    for (Signal& each : gone_on)
        co_await each.wait(deadline);
}

asio::awaitable<Administration::Seconds>
Administration::swap(std::vector<Swap> swaps, HowToPause how,
                     std::function<asio::awaitable<void>()> record) {
    check_running();
    for (Swap& swap : swaps) {
        // Nobody may be told of what it is, and then find that it is less.
        const bool becomes_less =
            !Terms::of(*swap.live->now()).why_not(Terms::of(*swap.next)).empty();
        if (becomes_less && !swap.live->draining()) {
            swap.live->drain(true);
            swap.closed_here = true;
        }
    }
    try {
        for (const Swap& swap : swaps)
            check_compatible(swap);
    } catch (...) {
        give_up(swaps);
        throw;
    }
    const Clock::time_point deadline = deadline_of(how.timeout);
    try {
        if (how.flush) // most of it before anybody has to wait
            co_await flush(swaps, deadline_of(how.timeout / 2));
    } catch (const Refusal& why) {
        if (why.kind() != RefusalKind::timeout) {
            give_up(swaps);
            throw;
        }
    }
    const Clock::time_point begin = Clock::now();
    co_await hold(swaps, deadline);
    try {
        if (how.flush)
            co_await flush(swaps, deadline);
        check_running();
        co_await record();
    } catch (...) {
        give_up(swaps);
        throw;
    }
    std::vector<ExportPointer> before;
    for (Swap& swap : swaps) {
        before.push_back(swap.live->replace(swap.next));
        if (swap.live->loaded() == swap.next)
            swap.live->load(nullptr);
    }
    co_await go_on(swaps);
    const Seconds pause = Clock::now() - begin;
    for (const Swap& swap : swaps) {
        if (swap.closed_here)
            swap.live->drain(false);
    }
    for (Swap& swap : swaps)
        swap.next.reset();
    for (ExportPointer& each : before)
        co_await close(std::move(each));
    co_return pause;
}

asio::awaitable<void> Administration::suspend(std::string name, HowToPause how) {
    const auto changing = co_await changes_.take("suspend", name);
    std::vector<Swap> one{{.live = find_to_change(name), .next = nullptr}};
    if (one.front().live->held())
        co_return;
    const Clock::time_point begin = Clock::now();
    const Clock::time_point deadline = deadline_of(how.timeout);
    co_await hold(one, deadline);
    try {
        if (how.flush)
            co_await flush(one, deadline);
        check_running();
    } catch (...) {
        give_up(one);
        throw;
    }
    suspended_since_[name] = begin;
    log::info(export_text(name) + ": suspended");
    tell(EventKind::suspended, name);
}

asio::awaitable<Administration::Resumed> Administration::resume(std::string name, HowToPause how) {
    const auto changing = co_await changes_.take("resume", name);
    const auto live = find_to_change(name);
    const bool was_held = live->held();
    Resumed done;
    auto next = live->loaded();
    if (!next) {
        std::vector<Swap> one{{.live = live, .next = nullptr}};
        if (was_held) {
            co_await go_on(one);
            done.pause = end_suspension(name);
        }
        done.generation = live->now()->generation;
        co_return done;
    }
    done.swapped = true;
    done.generation = next->generation;
    const std::uint64_t size = next->size();
    done.pause = co_await swap_in(live, std::move(next), how);
    log::info(export_text(name) + ": table " + std::to_string(done.generation) + ", of " +
              std::to_string(size) + " bytes, is live; requests were held for " +
              std::to_string(done.pause.count() * 1000) + " ms");
    tell(EventKind::swapped, name);
    co_return done;
}

asio::awaitable<Administration::Seconds>
Administration::swap_in(LivePointer live, ExportPointer next, HowToPause how) {
    const std::string name = next->name;
    const bool was_held = live->held();
    std::vector<Swap> one{{.live = std::move(live), .next = next}};
    auto pending = co_await prepare_record(name, std::move(next), nullptr);
    auto recorded = [this, pending = std::move(pending), how]() -> asio::awaitable<void> {
        return commit(pending, how.timeout);
    };
    Seconds pause = co_await swap(std::move(one), how, std::move(recorded));
    if (was_held) // the swap was only the end of it
        pause = end_suspension(name);
    co_return pause;
}

/// Everybody has gone on. For how long they were held.
Administration::Seconds Administration::end_suspension(const std::string& name) {
    log::info(export_text(name) + ": resumed");
    tell(EventKind::resumed, name);
    const auto since = suspended_since_.extract(name);
    return since ? Seconds(Clock::now() - since.mapped()) : Seconds();
}

// g++ 12 takes the coroutine frame's own operator new, which it has inlined, for another one.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
asio::awaitable<Administration::Resized> Administration::resize(std::string name,
                                                                std::optional<std::uint64_t> size) {
    const auto changing = co_await changes_.take("resize", name);
    const auto live = find_to_change(name);
    auto now = live->now();
    if (live->loaded())
        throw Refusal(RefusalKind::refused,
                      export_text(name) + " has a table loaded: resume or clear it first");
    config::Export source = now->definition->source;
    config::Segment& last = source.table.back();
    const std::uint64_t start = now->table->table().segments().back().start;
    if (size) {
        if (*size <= start)
            throw Refusal(RefusalKind::refused,
                          export_text(name) + ": want a size above " + std::to_string(start) +
                              ", where its last segment starts, found " + std::to_string(*size));
        last.length = *size - start;
    } else if (last.length) {
        throw Refusal(RefusalKind::refused,
                      export_text(name) + ": its last segment has a length of its own, " +
                          std::to_string(*last.length) + " bytes: say which size is wanted");
    }
    Text<config::Export> text{.file = "resize", .parse = [source] { return source; }};
    auto next = co_await open_beside(std::move(text), now);
    Resized done{.size = next->size(), .grown = next->size() > now->size(), .pause = {}};
    if (next->size() == now->size())
        co_return done;
    now.reset(); // whoever keeps it keeps its claims
    const HowToPause how;
    done.pause = co_await swap_in(live, std::move(next), how);
    log::info(export_text(name) + ": has " + std::to_string(done.size) + " bytes now");
    tell(EventKind::swapped, name, "resized");
    co_return done;
}
#pragma GCC diagnostic pop

} // namespace interposed::control
