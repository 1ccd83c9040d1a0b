#include "control/administration.hpp"
#include "control/exports_by_name.hpp"
#include "control/run_time_state.hpp"
#include "server/conflicts.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <utility>

// g++ 12 takes the coroutine frame's own operator new, which it has inlined, for another one.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

// The configuration file read again, and what is served made to agree with it: all of it or none.
namespace interposed::control {

namespace log = server::log;
using config::in_quotes;
using server::EventKind;

namespace {

/// Whether two tables are the same on the devices as they are now.
bool same_table(const server::ResolvedExport& a, const server::ResolvedExport& b) {
    const auto same_device = [](const server::ResolvedDevice& x, const server::ResolvedDevice& y) {
        return x.info.identity == y.info.identity && x.cache == y.cache;
    };
    const auto same_segment = [](const server::ResolvedSegment& x,
                                 const server::ResolvedSegment& y) {
        return x.where == y.where && x.device == y.device && x.device_offset == y.device_offset;
    };
    return std::equal(a.devices.begin(), a.devices.end(), b.devices.begin(), b.devices.end(),
                      same_device) &&
           std::equal(a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
                      same_segment);
}

std::string list_of(const std::vector<std::string>& names) {
    constexpr std::size_t most = 5;
    std::string text;
    for (std::size_t i = 0; i < std::min(most, names.size()); ++i)
        text += (i > 0 ? ", " : "") + in_quotes(names[i]);
    return names.size() <= most ? text
                                : text + " and " + std::to_string(names.size() - most) + " more";
}

} // namespace

/// What a reload comes to. Resolved exports point into `wanted`.
struct Administration::Plan {
    config::Configuration file;   ///< as it is now
    config::Configuration wanted; ///< with the run-time changes that win
    server::Resolved resolved;

    server::ExportSet::List added;
    server::ExportSet::List removed;
    std::vector<Swap> swaps;                                  ///< with another table
    std::vector<std::pair<LivePointer, ExportPointer>> terms; ///< with the same table
    std::vector<std::string> forgotten;                       ///< whose run-time changes lose
    std::map<std::string, config::Export> kept; ///< of these what stays recorded: with their state
    std::set<std::string> going;                ///< that are being removed already
    server::Server::Listeners listeners;
    Reloaded report;
};

namespace {

void check_claims(const config::Export& before, const config::Export& after) {
    if (before.claim == after.claim && before.cache == after.cache)
        return;
    throw Refusal(RefusalKind::refused,
                  export_text(after.name) +
                      ": want the claim and the cache mode that it is served with: they never "
                      "change while an export is served; remove it and create it again");
}

} // namespace

asio::awaitable<Administration::Reloaded> Administration::reload(Clients clients, Winner winner) {
    if (file_.file.empty() || file_.file == "command line")
        throw Refusal(RefusalKind::refused, "there is no configuration file: the command line "
                                            "said what to serve");
    const auto changing = co_await changes_.take("reload", std::string());
    const auto plan = std::make_shared<Plan>();
    co_await prepare(plan, winner);
    auto work = [this, plan] { open_all(*plan); };
    co_await jobs_.run("opening the devices", std::move(work), Clock::now() + 2 * open_deadline);
    plan->listeners = server_.bind(plan->resolved.listeners);
    for (const auto& listener : plan->listeners)
        plan->report.listeners_added.push_back(listener->uri());
    check_running();
    auto kept = keep_out_of(plan->removed, clients);
    try {
        if (clients == Clients::disconnect) { // what comes may have what these had
            for (const auto& live : plan->removed)
                co_await disconnect_all(live);
        }
        check_beside_staying(*plan);
        auto recorded = [this, plan]() -> asio::awaitable<void> { return forget(plan); };
        const HowToPause how;
        co_await swap(std::move(plan->swaps), how, std::move(recorded));
    } catch (...) {
        for (const auto& live : kept)
            live->drain(false);
        throw;
    }
    kept.clear(); // whoever keeps them keeps their claims
    put_in_place(*plan);
    co_await apply_rules();
    co_await take_away(std::move(plan->removed), clients);
    log::info("reloaded: " + std::to_string(plan->report.added.size()) + " exports added, " +
              std::to_string(plan->report.removed.size()) + " removed, " +
              std::to_string(plan->report.changed.size()) + " changed, " +
              std::to_string(plan->report.unchanged) + " unchanged");
    tell(EventKind::reloaded, {});
    co_return plan->report;
}

asio::awaitable<void> Administration::prepare(std::shared_ptr<Plan> plan, Winner winner) {
    auto parse = [file = file_.file] { return config::load(file); };
    plan->file = co_await jobs_.run("reading the configuration", std::move(parse),
                                    Clock::now() + open_deadline);
    if (!(plan->file.control == file_.control) || !(plan->file.metrics == file_.metrics) ||
        plan->file.state_dir != file_.state_dir || plan->file.run_as != file_.run_as)
        throw Refusal(RefusalKind::refused,
                      "\"control\", \"metrics\", \"state_dir\" and \"run_as\" take effect with a "
                      "restart only: want them as they were");
    plan->wanted = plan->file;
    plan->going = removing_;
    settle_runtime_changes(*plan, winner);
    // From now on plan->wanted stays where it is: what is resolved points into it.
    auto resolve = [plan] { plan->resolved = server::resolve(plan->wanted); };
    co_await jobs_.run("looking at the devices", std::move(resolve), Clock::now() + open_deadline);
    for (const std::string& warning : plan->resolved.warnings)
        log::warning(warning);
}

/// What no file speaks of stays, whoever wins.
void Administration::keep_state(Plan& plan, config::Export& wanted, const config::Export& now) {
    config::Export stated = with_run_time_state(wanted, now);
    if (stated == wanted)
        return;
    wanted = stated;
    plan.kept.emplace(stated.name, std::move(stated));
}

/// Either the file or what was changed while we run has it, as was said; where it was not said,
/// nothing is reloaded.
void Administration::settle_runtime_changes(Plan& plan, Winner winner) {
    std::vector<std::string> disagree;
    auto& wanted = plan.wanted.exports;
    for (const auto& live : server_.exports().all()) {
        const auto now = live->now();
        const std::string& name = now->name;
        if (removing_.contains(name) || !origin_of(*live).changed)
            continue;
        const config::Export& source = now->definition->source;
        const config::Export* const before = in_file(name);
        if (before == nullptr && (source.attach || source.interposed) &&
            find_export(wanted, name) == nullptr) {
            wanted.push_back(source); // this host's kernel relies on it, whoever wins
            continue;
        }
        const bool is_as_written =
            before != nullptr && !live->loaded() && source == with_run_time_state(*before, source);
        const auto written = std::find_if(wanted.begin(), wanted.end(),
                                          [&name](const auto& each) { return each.name == name; });
        const bool caught_up = written != wanted.end() && !live->loaded() &&
                               source == with_run_time_state(*written, source);
        if (is_as_written || caught_up || winner == Winner::configuration) {
            plan.forgotten.push_back(name);
            if (written != wanted.end())
                keep_state(plan, *written, source);
            continue;
        }
        disagree.push_back(name);
        std::erase_if(wanted, [&name](const auto& each) { return each.name == name; });
        wanted.push_back(now->definition->source);
    }
    for (const std::string& name : removed_from_file()) {
        if (find_export(wanted, name) == nullptr || winner == Winner::configuration) {
            plan.forgotten.push_back(name);
            continue;
        }
        disagree.push_back(name);
        std::erase_if(wanted, [&name](const auto& each) { return each.name == name; });
    }
    for (const std::string& name : removing_) {
        if (find_export(wanted, name) != nullptr)
            throw Refusal(RefusalKind::refused,
                          export_text(name) +
                              " is being removed, and goes with its last client: disconnect it "
                              "first, then it can be added again");
    }
    if (!disagree.empty() && winner == Winner::nobody)
        throw Refusal(RefusalKind::refused,
                      "exports were changed at run time: " + list_of(disagree) +
                          "; say whether the configuration or the run-time change wins");
}

/// On a thread that may wait.
void Administration::open_all(Plan& plan) {
    for (const server::ResolvedExport& resolved : plan.resolved.exports) {
        const auto live = server_.exports().find(resolved.source->name);
        if (!resolved.disabled_because.empty()) {
            ++plan.report.unchanged; // what is served already goes on being served
            continue;
        }
        if (!live) {
            plan.added.push_back(
                std::make_shared<server::LiveExport>(server_.open(resolved, nullptr)));
            plan.report.added.push_back(resolved.source->name);
            continue;
        }
        plan_change(plan, live, resolved);
    }
    for (const auto& live : server_.exports().all()) {
        const std::string name = live->now()->name;
        if (find_export(plan.wanted.exports, name) != nullptr || plan.going.contains(name))
            continue;
        if (const auto now = live->now();
            now->definition->source.attach || now->definition->source.interposed)
            throw Refusal(RefusalKind::refused,
                          export_text(name) + " is to go, but is a device of this host's kernel: "
                                              "detach it, or release its volume, first");
        plan.removed.push_back(live);
        plan.report.removed.push_back(name);
    }
}

void Administration::plan_change(Plan& plan, const LivePointer& live,
                                 const server::ResolvedExport& resolved) {
    const auto now = live->now();
    const config::Export& before = now->definition->source;
    const config::Export& after = *resolved.source;
    const bool same =
        same_table(now->definition->resolved, resolved) && before.read_only == after.read_only;
    if (same && before == after && server::same_access(now->access, resolved.access)) {
        ++plan.report.unchanged;
        return;
    }
    check_claims(before, after);
    if (live->held())
        throw Refusal(RefusalKind::refused,
                      export_text(after.name) + " is to change and is suspended: resume it first");
    plan.report.changed.push_back(after.name);
    if (same)
        plan.terms.emplace_back(live, server_.on_terms(*now, resolved));
    else
        plan.swaps.push_back({.live = live, .next = server_.open(resolved, now.get())});
}

/// What stays for a while, or is loaded, must not lie on the same bytes as what is wanted: only
/// what is wanted was compared with itself.
void Administration::check_beside_staying(const Plan& plan) const {
    const auto check = [&plan](const ExportPointer& staying, const std::string& why) {
        std::vector<server::ResolvedExport> all;
        for (const server::ResolvedExport& each : plan.resolved.exports) {
            if (each.disabled_because.empty() && each.source->name != staying->name)
                all.push_back(each);
        }
        all.push_back(staying->definition->resolved);
        std::vector<config::Fault> faults;
        find_conflicts(all, faults);
        if (!faults.empty())
            throw Refusal(RefusalKind::refused,
                          export_text(staying->name) + why + faults.front().message);
    };
    for (const auto& live : server_.exports().all()) {
        const bool goes = find_export(plan.wanted.exports, live->now()->name) == nullptr;
        if (goes && live->connections() > 0)
            check(live->now(), " is to go, but still has clients, and "
                               "what is wanted would write to the same bytes meanwhile: ");
    }
    for (const auto& live : server_.exports().all()) {
        const auto loaded = live->loaded();
        const bool forgotten = loaded && std::find(plan.forgotten.begin(), plan.forgotten.end(),
                                                   loaded->name) != plan.forgotten.end();
        if (loaded && !forgotten)
            check(loaded, " has a table loaded that would write to the same bytes: ");
    }
}

/// Nobody comes to these any more. Gives back those that did let clients in before.
server::ExportSet::List Administration::keep_out_of(const server::ExportSet::List& removed,
                                                    Clients clients) {
    server::ExportSet::List closed;
    for (const auto& live : removed) {
        if (removing_.contains(live->now()->name))
            continue;
        if (!live->draining())
            closed.push_back(live);
        live->drain(true);
        if (clients != Clients::refuse || live->connections() == 0)
            continue;
        for (const auto& each : closed)
            each->drain(false);
        throw Refusal(RefusalKind::refused,
                      export_text(live->now()->name) + " is to go and has " +
                          std::to_string(live->connections()) +
                          " connections: disconnect them first, or ask for them to be drained or "
                          "disconnected");
    }
    return closed;
}

asio::awaitable<void> Administration::forget(std::shared_ptr<Plan> plan) {
    if (store_ == nullptr)
        co_return;
    std::function<void(const StateStore::MayCommit&)> work =
        [store = store_, names = plan->forgotten,
         kept = plan->kept](const StateStore::MayCommit& may_commit) {
            for (const std::string& name : names) {
                std::optional<Record> left;
                if (const auto stated = kept.find(name); stated != kept.end())
                    left = Record{.origin = Record::Origin::changed,
                                  .live = stated->second,
                                  .loaded = std::nullopt};
                store->commit(*store->prepare(name, std::move(left)), may_commit);
            }
        };
    const Seconds timeout(open_deadline);
    co_await this->store(std::move(work), timeout);
}

/// Nothing of this can fail, but for memory.
void Administration::put_in_place(Plan& plan) {
    for (const auto& [live, next] : plan.terms)
        live->replace(next);
    for (const std::string& name : plan.report.changed) {
        const auto live = server_.exports().find(name);
        if (!live)
            continue; // with the last of its clients, a moment ago
        const auto now = live->now();
        now->throttle->set(now->definition->source.qos);
    }
    file_ = plan.file;
    server_.change_exports(plan.added, {});
    server_.set_limits(plan.wanted.limits);
    server_.set_tls(plan.resolved.tls);
    plan.report.listeners_removed =
        server_.listen(plan.resolved.listeners, std::move(plan.listeners));
    log::configure(file_.log.level, file_.log.format);
    for (const std::string& name : plan.forgotten) {
        if (const auto live = server_.exports().find(name))
            retired_.push_back(live->load(nullptr));
    }
    disabled_.clear();
    for (const server::ResolvedExport& each : plan.resolved.exports) {
        if (!each.disabled_because.empty())
            disabled_.push_back(each.source->name);
    }
    for (const auto& live : plan.added)
        tell(EventKind::created, live->now()->name);
    for (const std::string& name : plan.report.changed)
        tell(EventKind::swapped, name, "reloaded");
}

/// Nobody who may not do so any more begins anything after that.
asio::awaitable<void> Administration::apply_rules() {
    Signal applied(server_.context());
    server_.apply_rules(applied.trigger());
    const bool in_time = co_await applied.wait(Clock::now() + close_deadline);
    if (!in_time)
        log::warning("reload: some clients have not come to know the rules yet: they are stuck");
}

asio::awaitable<void> Administration::take_away(server::ExportSet::List removed, Clients clients) {
    for (auto& live : removed) {
        if (clients == Clients::disconnect && live->connections() > 0)
            co_await disconnect_all(live);
        co_await remove_when_empty(std::move(live));
    }
    for (auto& each : std::exchange(retired_, {}))
        co_await close(std::move(each));
}

} // namespace interposed::control
