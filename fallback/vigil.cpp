#include "fallback/vigil.hpp"

namespace interposed::fallback {
namespace {

/// Whether it has been so for longer than `limit`.
bool lasts(std::optional<Vigil::Clock::time_point>& since, bool now_so,
           Vigil::Clock::time_point now, std::chrono::seconds limit) {
    if (!now_so)
        since.reset();
    else if (!since)
        since = now;
    return since && now - *since >= limit;
}

} // namespace

Vigil::Verdict Vigil::judge(const Sight& sight, Clock::time_point now) {
    const bool stuck = sight.leads_here && sight.in_flight > 0 && sight.done == done_;
    changed_hands_ = stuck && (changed_hands_ || sight.holder != holder_);
    done_ = sight.done;
    holder_ = sight.holder;
    const bool unserved = sight.leads_here && sight.holder.empty();
    const bool stuck_for_long = lasts(stuck_since_, stuck, now, patience_);
    if (lasts(unserved_since_, unserved, now, patience_))
        return Verdict::dead;
    if (!stuck_for_long)
        return Verdict::well;
    return changed_hands_ ? Verdict::dead : Verdict::suspect;
}

} // namespace interposed::fallback
