#include "interposectl/standing.hpp"

namespace interposed::ctl {
namespace {

using State = Interposition::State;

std::string joined(const volume::Table& table) {
    std::string text;
    for (const std::string& line : volume::lines_of(table))
        text += (text.empty() ? "" : "; ") + line;
    return text;
}

} // namespace

Standing standing_of(const Interposition& one, const std::optional<volume::Mapped>& now) {
    if (!now)
        return {.good = false, .text = "GONE: there is no such volume any more"};
    if (now->suspended)
        return {.good = false, .text = "SUSPENDED by somebody"};
    if (now->live == one.before)
        return one.state == State::in
                   ? Standing{.good = false,
                              .text = "CHANGED by somebody else: it is as before it was "
                                      "interposed; the server is out of its path"}
                   : Standing{.good = false, .text = "out, unfinished: `release` again clears up"};
    if (now->live != one.after)
        return {.good = false, .text = "CHANGED by somebody else: " + joined(now->live)};
    if (one.state != State::in)
        return {.good = false,
                .text = one.state == State::entering ? "ours, unfinished: `interpose` again"
                                                     : "ours, unfinished: `release` again"};
    if (one.serving != "serving")
        return {.good = false, .text = "ours, but the server does not serve it: " + one.serving};
    if (now->inactive_table)
        return {.good = false, .text = "ours, but somebody has loaded another one beside it"};
    return {.good = true, .text = "ours"};
}

Standing standing_of(const fallback::Guarded& one) {
    using State = fallback::Guarded::State;
    switch (one.state) {
    case State::watching:
        return {.good = false,
                .text = "no server knows of it: its guard waits " + std::to_string(one.patience_s) +
                        " s for one"};
    case State::standing_in:
        return {.good = false, .text = "its guard is leading it back to its disks"};
    case State::fallen_back:
        break;
    }
    return {.good = false,
            .text = "FALLEN BACK to its disks at " + one.since +
                    ", for it had no server; `release` forgets it, `interpose` begins anew"};
}

} // namespace interposed::ctl
