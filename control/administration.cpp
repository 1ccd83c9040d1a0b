#include "control/administration.hpp"

#include "control/exports_by_name.hpp"
#include "devices/device.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <atomic>
#include <system_error>
#include <utility>

namespace interposed::control {

namespace log = server::log;
using config::in_quotes;
using server::EventKind;

Administration::Administration(server::Server& server, config::Configuration file,
                               const server::Resolved& resolved, StateStore* store)
    : server_(server), file_(std::move(file)), store_(store), jobs_(server.context()),
      records_(server.context(), 1), changes_(server.context()) {
    for (const server::ResolvedExport& each : resolved.exports) {
        if (!each.disabled_because.empty())
            disabled_.push_back(each.source->name);
    }
}

void Administration::load_recorded() {
    if (store_ == nullptr)
        return;
    for (const auto& [name, record] : store_->records()) {
        const auto live = server_.exports().find(name);
        if (!live || !record.loaded)
            continue;
        try {
            const auto others = others_than(live->now().get());
            const auto resolved = server::resolve_beside(*record.loaded, store_->folder(),
                                                         others->served, others->loaded);
            live->load(server_.open(resolved, live->now().get()));
            log::info(export_text(name) + ": the table loaded before is loaded again");
        } catch (const std::exception& why) {
            log::warning(export_text(name) +
                         ": the table loaded before cannot be loaded again: " + why.what());
        }
    }
}

Administration::LivePointer Administration::find(std::string_view name) const {
    auto found = server_.exports().find(name);
    if (!found)
        throw Refusal(RefusalKind::not_found, "no export is called " + in_quotes(name));
    return found;
}

Administration::LivePointer Administration::find_to_change(const std::string& name) const {
    check_running();
    if (removing_.contains(name))
        throw Refusal(RefusalKind::refused,
                      export_text(name) + " is being removed, and goes with its last client");
    return find(name);
}

const config::Export* Administration::in_file(std::string_view name) const {
    return find_export(file_.exports, name);
}

Administration::Origin Administration::origin_of(const server::LiveExport& live) const {
    const auto now = live.now();
    const config::Export* const written = in_file(now->name);
    const bool changed =
        written == nullptr || live.loaded() != nullptr || !(now->definition->source == *written);
    return {.runtime = written == nullptr,
            .changed = changed,
            .recorded = changed && store_ != nullptr};
}

/// What the file has and is not served, though nothing kept it from being so.
std::vector<std::string> Administration::removed_from_file() const {
    std::vector<std::string> removed;
    for (const config::Export& each : file_.exports) {
        const bool is_disabled =
            std::find(disabled_.begin(), disabled_.end(), each.name) != disabled_.end();
        if (!is_disabled && !server_.exports().find(each.name))
            removed.push_back(each.name);
    }
    return removed;
}

void Administration::tell(EventKind kind, std::string name, std::string detail) {
    server_.tell({kind, std::move(name), std::move(detail)});
}

std::shared_ptr<Administration::Others>
Administration::others_than(const server::Export* except) const {
    auto others = std::make_shared<Others>();
    for (const auto& live : server_.exports().all()) {
        auto now = live->now();
        if (except != nullptr && now->name == except->name)
            continue;
        others->served.push_back(now->definition->resolved);
        others->kept.push_back(std::move(now));
        if (auto loaded = live->loaded()) {
            others->loaded.push_back(loaded->definition->resolved);
            others->kept.push_back(std::move(loaded));
        }
    }
    return others;
}

/// Parses, resolves and opens, all on a thread that may wait. The others are kept until that thread
/// has done with them.
asio::awaitable<Administration::ExportPointer>
Administration::open_beside(Text<config::Export> text, ExportPointer before) {
    const auto others = others_than(before.get());
    auto work = [&server = server_, text = std::move(text), before, others]() -> ExportPointer {
        const config::Export source = text.parse();
        if (!before && server.exports().find(source.name))
            throw Refusal(RefusalKind::refused,
                          "there is an " + export_text(source.name) + " already");
        const auto resolved =
            server::resolve_beside(source, text.file, others->served, others->loaded);
        return server.open(resolved, before.get());
    };
    co_return co_await jobs_.run("opening the devices", std::move(work),
                                 Clock::now() + open_deadline);
}

asio::awaitable<Administration::PendingRecord>
Administration::prepare_record(std::string name, ExportPointer live, ExportPointer loaded) {
    if (store_ == nullptr)
        co_return nullptr;
    const config::Export* const written = in_file(name);
    const bool same = live && written != nullptr && live->definition->source == *written;
    const Record::Origin origin = !live                ? Record::Origin::removed
                                  : written == nullptr ? Record::Origin::created
                                  : same               ? Record::Origin::same
                                                       : Record::Origin::changed;
    const bool none = live ? same && !loaded : written == nullptr;
    auto work = [store = store_, name, live, loaded, origin, same, none]() -> PendingRecord {
        if (none)
            return store->prepare(name, std::nullopt);
        Record next{.origin = origin, .live = std::nullopt, .loaded = std::nullopt};
        if (live && !same)
            next.live = live->definition->source;
        if (loaded)
            next.loaded = loaded->definition->source;
        return store->prepare(name, std::move(next));
    };
    PendingRecord prepared;
    try {
        prepared = co_await records_.run("writing the record", std::move(work),
                                         Clock::now() + open_deadline);
    } catch (const Refusal&) {
        throw;
    } catch (const std::runtime_error& why) {
        throw Refusal(RefusalKind::failed, why.what());
    }
    co_return prepared;
}

asio::awaitable<void> Administration::commit(PendingRecord pending, Seconds timeout) {
    if (!pending)
        co_return;
    std::function<void(const StateStore::MayCommit&)> work =
        [store = store_, pending](const StateStore::MayCommit& may_commit) {
            store->commit(*pending, may_commit);
        };
    co_await store(std::move(work), timeout);
}

/// What is served under a name and what is loaded; null: it is removed.
asio::awaitable<void> Administration::record(std::string name, ExportPointer live,
                                             ExportPointer loaded) {
    auto pending = co_await prepare_record(name, std::move(live), std::move(loaded));
    const Seconds timeout(open_deadline);
    co_await commit(std::move(pending), timeout);
}

/// What is refused must not come to be recorded later: so either it is called off in time, or it is
/// waited for.
asio::awaitable<void> Administration::store(std::function<void(const StateStore::MayCommit&)> work,
                                            Seconds timeout) {
    enum : int { open, committed, called_off };
    const auto state = std::make_shared<std::atomic<int>>(open);
    const auto move_to = [state](int next) {
        int before = open;
        return state->compare_exchange_strong(before, next) || before == next;
    };
    auto job = [work = std::move(work), move_to] {
        work([move_to] { return move_to(committed); });
    };
    std::function<bool()> cancel = [move_to] { return move_to(called_off); };
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(timeout);
    try {
        co_await records_.run("recording the change", std::move(job), deadline, std::move(cancel));
    } catch (const Refusal&) {
        throw;
    } catch (const std::runtime_error& why) {
        throw Refusal(RefusalKind::failed, why.what());
    }
}

/// Lets go of it and waits until its devices are closed; not for ever: a device may be stuck, or a
/// client may still be told of it.
asio::awaitable<void> Administration::close(ExportPointer last) {
    if (!last)
        co_return;
    Signal closed(server_.context());
    last->farewell->wait(closed.trigger());
    const std::string name = last->name;
    last.reset();
    const bool in_time = co_await closed.wait(Clock::now() + close_deadline);
    if (!in_time)
        log::warning(export_text(name) + ": devices that it does not use any more are not closed "
                                         "yet; their claims are still held");
}

asio::awaitable<Administration::LivePointer> Administration::create(Text<config::Export> text) {
    const auto changing = co_await changes_.take("create of an export", std::string());
    auto made = co_await open_beside(std::move(text), nullptr);
    const std::string name = made->name;
    if (made->definition->source.requires_tls && !server_.has_tls())
        throw Refusal(RefusalKind::refused,
                      export_text(name) + " requires TLS: want \"tls\" in the configuration, found "
                                          "none");
    check_running();
    co_await record(name, made, nullptr);
    auto live = std::make_shared<server::LiveExport>(std::move(made));
    server_.change_exports({live}, {});
    log::info(export_text(name) + ": created");
    tell(EventKind::created, name);
    co_return live;
}

asio::awaitable<bool> Administration::remove(std::string name, Clients clients) {
    const auto changing = co_await changes_.take("remove", name);
    auto live = find_to_change(name);
    if (const auto& attach = live->now()->definition->source.attach)
        throw Refusal(RefusalKind::refused, export_text(name) + " is attached to " +
                                                attach->device + ": detach it first");
    const bool drained_before = live->draining();
    live->drain(
        true); // first: so that nobody comes while it is being seen whether somebody is there
    const unsigned connections = live->connections();
    if (connections > 0 && clients == Clients::refuse) {
        live->drain(drained_before);
        throw Refusal(RefusalKind::refused,
                      export_text(name) + " has " + std::to_string(connections) +
                          " connections: disconnect them first, or ask for them to be drained or "
                          "disconnected");
    }
    try {
        co_await record(name, nullptr, nullptr);
    } catch (...) {
        live->drain(drained_before);
        throw;
    }
    if (connections > 0 && clients == Clients::disconnect)
        co_await disconnect_all(live);
    const bool gone = co_await remove_when_empty(std::move(live));
    co_return gone;
}

/// False: with the last of its clients, whatever else is being changed then.
asio::awaitable<bool> Administration::remove_when_empty(LivePointer live) {
    const std::string name = live->now()->name;
    removing_.insert(name);
    if (live->connections() == 0) {
        co_await finish_removal(std::move(live));
        co_return true;
    }
    live->when_empty([this, weak = std::weak_ptr(live)] {
        asio::post(server_.context(), [this, weak] {
            if (auto last = weak.lock())
                asio::co_spawn(server_.context(), finish_removal(std::move(last)), asio::detached);
        });
    });
    co_return false;
}

/// Nobody is let in any more, so it stays empty. Its name is free again at once.
asio::awaitable<void> Administration::finish_removal(LivePointer live) {
    auto now = live->now();
    const std::string name = now->name;
    auto loaded = live->load(nullptr);
    server_.change_exports({}, {live});
    removing_.erase(name);
    suspended_since_.erase(name);
    if (live->held())
        live->go_on([] {});
    live.reset();
    log::info(export_text(name) + ": removed");
    tell(EventKind::removed, name);
    co_await close(std::move(loaded));
    co_await close(std::move(now));
}

/// Lets its sessions answer what they have accepted; those that take too long for that are given
/// up. False: some still are not gone.
asio::awaitable<bool> Administration::disconnect_all(LivePointer live) {
    const std::string name = live->now()->name;
    for (const bool orderly : {true, false}) {
        for (const auto& connection : server_.connections()) {
            if (const auto status = connection->status();
                !status.framing || status.export_name != name)
                continue;
            if (orderly)
                connection->stop();
            else
                connection->abort();
        }
        if (live->held())
            live->go_on([] {});
        Signal empty(server_.context());
        live->when_empty(empty.trigger());
        const bool gone = co_await empty.wait(Clock::now() + disconnect_deadline);
        if (gone)
            co_return true;
    }
    co_return false;
}

asio::awaitable<Administration::ExportPointer>
Administration::load(std::string name, Text<std::vector<config::Segment>> text) {
    const auto changing = co_await changes_.take("load", name);
    const auto live = find_to_change(name);
    const auto now = live->now();
    Text<config::Export> whole{.file = text.file, .parse = [now, parse = std::move(text.parse)] {
                                   config::Export source = now->definition->source;
                                   source.table = parse();
                                   return source;
                               }};
    auto next = co_await open_beside(std::move(whole), now);
    co_await record(name, now, next);
    auto before = live->load(next);
    co_await close(std::move(before));
    log::info(export_text(name) + ": a table of " + std::to_string(next->size()) +
              " bytes is loaded");
    tell(EventKind::loaded, name);
    co_return next;
}

asio::awaitable<bool> Administration::clear(std::string name) {
    const auto changing = co_await changes_.take("clear", name);
    const auto live = find_to_change(name);
    if (!live->loaded())
        co_return false;
    co_await record(name, live->now(), nullptr);
    auto before = live->load(nullptr);
    co_await close(std::move(before));
    co_return true;
}

asio::awaitable<std::vector<Administration::Reopened>> Administration::reopen(std::string name) {
    const auto changing = co_await changes_.take("reopen", name);
    auto work = [now = find_to_change(name)->now(), text = export_text(name)] {
        std::vector<Reopened> done;
        std::string failing;
        for (const auto& device : now->opened) {
            const auto [forgotten, still_failing] = device->reopen();
            if (still_failing != 0)
                throw Refusal(
                    RefusalKind::failed,
                    "device " + in_quotes(device->info().path) +
                        " still fails to flush: " + std::generic_category().message(still_failing));
            if (forgotten != 0)
                done.push_back({device->info().path, forgotten});
        }
        return done;
    };
    auto done =
        co_await jobs_.run("reopening the devices", std::move(work), Clock::now() + open_deadline);
    co_return done;
}

asio::awaitable<void> Administration::change_terms(const char* what, std::string name,
                                                   std::function<void(config::Export&)> change) {
    const auto changing = co_await changes_.take(what, name);
    const auto live = find_to_change(name);
    const auto changed = [&](const ExportPointer& of) -> ExportPointer {
        if (!of)
            return nullptr;
        config::Export source = of->definition->source;
        change(source);
        return server_.on_terms(*of, source);
    };
    const ExportPointer next = changed(live->now());
    const ExportPointer loaded = changed(live->loaded());
    co_await record(name, next, loaded);
    live->replace(next);
    live->load(loaded);
}

asio::awaitable<void> Administration::set_qos(std::string name,
                                              std::function<void(config::Qos&)> change) {
    std::function<void(config::Export&)> whole = [change = std::move(change)](config::Export& of) {
        change(of.qos);
    };
    co_await change_terms("qos", name, std::move(whole));
    const auto now = find(name)->now();
    now->throttle->set(now->definition->source.qos);
}

asio::awaitable<std::uint64_t> Administration::drain(std::optional<std::string> name, bool on) {
    server::ExportSet::List which;
    if (name)
        which.push_back(find(*name));
    else
        which = server_.exports().all();
    std::uint64_t connections = 0;
    for (const auto& live : which) {
        if (!on && removing_.contains(live->now()->name))
            throw Refusal(RefusalKind::refused, export_text(live->now()->name) +
                                                    " is being removed, and goes with its last "
                                                    "client");
    }
    for (const auto& live : which) {
        live->drain(on);
        connections += live->connections();
        if (on)
            live->when_empty([this, weak = std::weak_ptr(live)] {
                const auto drained = weak.lock();
                if (drained && drained->draining())
                    tell(EventKind::drained, drained->now()->name);
            });
    }
    co_return connections;
}

} // namespace interposed::control
