#include "interposectl/columns.hpp"
#include "interposectl/guarding.hpp"
#include "interposectl/interpose.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/standing.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"
#include "volume/facts.hpp"

#include <algorithm>
#include <filesystem>

namespace interposed::ctl {
namespace {

using fallback::Guarded;

/// What there is to see, from the servers' records and the guards'.
class Listing {
public:
    explicit Listing(const Arguments& arguments) : wanted_(arguments.operand(0)) {}

    void add(const Interposition& one, const std::optional<Guarded>& guarded) {
        if (!is_wanted(one.volume))
            return;
        const std::string guard = guarded         ? guard_text(guards_, *guarded)
                                  : one.fail_open ? "NO GUARD"
                                                  : "no";
        const bool away = guarded && guarded->state != Guarded::State::watching;
        const Standing standing = away ? standing_of(*guarded) : standing_now(one, guard);
        Json json = mark_of(one);
        json["export"] = one.export_name;
        json["device"] = one.device;
        json["attachment"] = one.serving;
        json["fence"] = one.claimed ? "claim" : "lease";
        columns_.add({printable(one.volume), export_name(one.export_name), printable(one.device),
                      harmless(one.since), one.claimed ? "claim" : "lease", word_of(one.state),
                      harmless(one.serving), guard, harmless(standing.text)});
        finish(std::move(json), guard, standing);
    }

    /// Of a volume that no server tells of.
    void add(const Guarded& one) {
        if (!is_wanted(one.volume))
            return;
        const std::string guard = guard_text(guards_, one);
        const Standing standing = standing_of(one);
        Json json = {{"volume", one.volume},
                     {"uuid", one.uuid},
                     {"before", volume::lines_of(one.before)},
                     {"after", volume::lines_of(one.after)},
                     {"since", one.since},
                     {"state", "out"},
                     {"fail_open", true},
                     {"export", one.export_name},
                     {"device", one.device},
                     {"attachment", "none"},
                     {"fence", "none"}};
        columns_.add({printable(one.volume), export_name(one.export_name), printable(one.device),
                      harmless(one.since), "none", "out", "none", guard, harmless(standing.text)});
        finish(std::move(json), guard, standing);
    }

    Exit print_all(bool as_json) const {
        if (wanted_ && all_.empty())
            throw Refused(
                {{"code", code_not_found},
                 {"message", "volume " + printable(*wanted_) + ": the server is not in its path"},
                 {"data", {{"kind", "not_found"}}}});
        const Json result = {{"interposed", all_}};
        print(as_json ? json_text(result, is_terminal()) + "\n" : columns_.text());
        return good_ ? Exit::done : Exit::failed;
    }

    [[nodiscard]] const fallback::GuardFiles& guards() const { return guards_; }

private:
    [[nodiscard]] bool is_wanted(const std::string& volume) const {
        return !wanted_ || volume == *wanted_ || volume::find_volume(*wanted_).name == volume;
    }

    static Standing standing_now(const Interposition& one, const std::string& guard) {
        try {
            Standing standing = standing_of(one, volume::look_at(one.volume));
            if (standing.good && guard == "NO GUARD")
                standing = {.good = false,
                            .text = "ours, but nobody would lead it back: "
                                    "`interpose --fail-open` again"};
            return standing;
        } catch (const std::exception& why) {
            return {.good = false, .text = std::string("cannot be looked at: ") + why.what()};
        }
    }

    void finish(Json json, const std::string& guard, const Standing& standing) {
        json["guard"] = guard;
        json["good"] = standing.good;
        json["standing"] = standing.text;
        good_ = good_ && standing.good;
        all_.push_back(std::move(json));
    }

    std::optional<std::string> wanted_;
    fallback::GuardFiles guards_;
    Columns columns_{{{"VOLUME"},
                      {"EXPORT"},
                      {"DEVICE"},
                      {"SINCE"},
                      {"FENCE"},
                      {"STATE"},
                      {"SERVER"},
                      {"FAIL-OPEN"},
                      {"TABLE"}}};
    Json all_ = Json::array();
    bool good_ = true;
};

/// Of a server that is gone the guards can tell, too.
std::vector<Interposition> known_to_server(const Arguments& arguments, bool guards_know) {
    try {
        Client client(socket_path(arguments));
        return interpositions(client);
    } catch (const Unreachable&) {
        if (!guards_know)
            throw;
    }
    return {};
}

} // namespace

Exit show_interposed(const Arguments& arguments) {
    Listing listing(arguments);
    std::vector<Guarded> guarded = listing.guards().all();
    for (const Interposition& one : known_to_server(arguments, !guarded.empty())) {
        const auto its = std::find_if(guarded.begin(), guarded.end(), [&](const Guarded& each) {
            return each.identifier == one.identifier;
        });
        listing.add(one, its == guarded.end() ? std::nullopt : std::optional(*its));
        if (its != guarded.end())
            guarded.erase(its);
    }
    const std::string here = std::filesystem::absolute(socket_path(arguments)).string();
    for (const Guarded& one : guarded) // those of other servers are listed by them
        if (one.control == here)
            listing.add(one);
    return listing.print_all(arguments.json);
}

} // namespace interposed::ctl
