#include "control/administration.hpp"
#include "control/exports_by_name.hpp"
#include "server/conflicts.hpp"
#include "server/log.hpp"

#include <utility>

// A claim that is adopted, and released again, while an export is served. Both claims are had
// before anybody pauses and the record is written before the one takes the place of the other: so
// whatever fails leaves all as it was. docs/decisions/0017-adopted-claims.md
namespace interposed::control {

namespace log = server::log;
using config::Claim;

/// The export as it is to be, if it may be so beside the others: what it is recorded as has to be
/// served again by the next server.
Administration::ExportPointer Administration::with_claim(const server::LiveExport& live,
                                                         Claim claim) const {
    const auto now = live.now();
    config::Export source = now->definition->source;
    if (source.claim == Claim::exclusive)
        throw Refusal(RefusalKind::refused, export_text(now->name) +
                                                ": want a shared or an adopted claim to change, "
                                                "found it exclusive");
    if (live.loaded())
        throw Refusal(RefusalKind::refused,
                      export_text(now->name) + " has a table loaded: resume or clear it first");
    source.claim = claim;
    auto next = server_.on_terms(*now, source);
    const auto others = others_than(now.get());
    for (const auto* list : {&others->served, &others->loaded}) {
        std::vector<server::ResolvedExport> all = *list;
        all.push_back(next->definition->resolved);
        std::vector<config::Fault> faults;
        server::find_conflicts(all, faults);
        if (!faults.empty())
            throw Refusal(RefusalKind::device, // another export holds it, as somebody else could
                          export_text(now->name) + ": " + faults.front().message);
    }
    return next;
}

asio::awaitable<Administration::Claimed> Administration::change_claim(std::string name, Claim claim,
                                                                      Seconds timeout) {
    const bool adopt = claim == Claim::adopted;
    const auto changing = co_await changes_.take(adopt ? "adopt" : "release", name);
    auto live = find_to_change(name);
    Claimed done;
    if (live->now()->definition->source.claim == claim)
        co_return done;
    auto next = with_claim(*live, claim);
    auto work = [&server = server_, now = live->now(), claim] {
        return ClaimChange(server.prepare_claims(*now, claim));
    };
    ClaimChange change =
        co_await jobs_.run("claiming the devices", std::move(work), Clock::now() + open_deadline);
    std::exception_ptr failed;
    try {
        done.pause = co_await apply_claim(std::move(live), std::move(next), change, timeout);
        done.changed = true;
    } catch (...) {
        failed = std::current_exception();
    }
    done.free = co_await close_claim(std::move(change), name);
    if (failed)
        std::rethrow_exception(failed);
    log::info(export_text(name) + ": its claim is " + to_string(claim) +
              " now; requests were held for " + std::to_string(done.pause.count() * 1000) + " ms");
    co_return done;
}

/// Who was suspended before stays so.
asio::awaitable<Administration::Seconds> Administration::apply_claim(LivePointer live,
                                                                     ExportPointer next,
                                                                     ClaimChange change,
                                                                     Seconds timeout) {
    auto pending = co_await prepare_record(next->name, next, nullptr);
    std::vector<Swap> one{{.live = live, .next = nullptr}};
    const Clock::time_point begin = Clock::now();
    co_await hold(one, begin + std::chrono::duration_cast<Clock::duration>(timeout));
    try {
        check_running();
        co_await commit(std::move(pending), timeout);
    } catch (...) {
        give_up(one);
        throw;
    }
    change->apply();
    live->replace(std::move(next));
    if (one.front().held_here)
        co_await go_on(one);
    co_return Clock::now() - begin;
}

/// False: the devices were released, and nobody can claim them yet.
asio::awaitable<bool> Administration::close_claim(ClaimChange change, std::string name) {
    auto work = [change = std::move(change)] { return change->close(); };
    bool is_free = false;
    try {
        is_free = co_await jobs_.run("closing the devices", std::move(work),
                                     Clock::now() + close_deadline);
    } catch (const Refusal&) {
        // Whatever it was called for is done, or is given up.
    }
    if (!is_free)
        log::warning(export_text(name) + ": its devices are shared, and are claimed still, or by "
                                         "somebody else again");
    co_return is_free;
}

} // namespace interposed::control
