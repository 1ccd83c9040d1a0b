#include "interposectl/columns.hpp"
#include "interposectl/interpose.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/standing.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"
#include "volume/facts.hpp"

namespace interposed::ctl {
namespace {

Standing standing_now(const Interposition& one) {
    try {
        return standing_of(one, volume::look_at(one.volume));
    } catch (const std::exception& why) {
        return {.good = false, .text = std::string("cannot be looked at: ") + why.what()};
    }
}

Json json_of(const Interposition& one, const Standing& standing) {
    Json json = mark_of(one);
    json["export"] = one.export_name;
    json["device"] = one.device;
    json["attachment"] = one.serving;
    json["fence"] = one.claimed ? "claim" : "lease";
    json["good"] = standing.good;
    json["standing"] = standing.text;
    return json;
}

} // namespace

Exit show_interposed(Client& client, const Arguments& arguments) {
    const auto wanted = arguments.operand(0);
    Columns columns({{"VOLUME"},
                     {"EXPORT"},
                     {"DEVICE"},
                     {"SINCE"},
                     {"FENCE"},
                     {"STATE"},
                     {"SERVER"},
                     {"TABLE"}});
    Json all = Json::array();
    bool good = true;
    for (const Interposition& one : interpositions(client)) {
        if (wanted && one.volume != *wanted && volume::find_volume(*wanted).name != one.volume)
            continue;
        const Standing standing = standing_now(one);
        good = good && standing.good;
        all.push_back(json_of(one, standing));
        columns.add({printable(one.volume), export_name(one.export_name), printable(one.device),
                     harmless(one.since), one.claimed ? "claim" : "lease", word_of(one.state),
                     harmless(one.serving), harmless(standing.text)});
    }
    if (wanted && all.empty())
        throw Refused(
            {{"code", code_not_found},
             {"message", "volume " + printable(*wanted) + ": the server is not in its path"},
             {"data", {{"kind", "not_found"}}}});
    const Json result = {{"interposed", all}};
    print(arguments.json ? json_text(result, is_terminal()) + "\n" : columns.text());
    return good ? Exit::done : Exit::failed;
}

} // namespace interposed::ctl
