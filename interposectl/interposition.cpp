#include "interposectl/interposition.hpp"

#include "interposectl/errors.hpp"

namespace interposed::ctl {
namespace {

using State = Interposition::State;

State read_state(const std::string& word) {
    for (const State each : {State::entering, State::in, State::leaving})
        if (word == word_of(each))
            return each;
    throw Unreachable("the server's answer: attachments.interposed.state: want entering, in or "
                      "leaving, found " +
                      word);
}

Json lines_json(const volume::Table& table) {
    Json lines = Json::array();
    for (const std::string& line : volume::lines_of(table))
        lines.push_back(line);
    return lines;
}

bool is_claimed(const Json& exports, const std::string& name) {
    bool claimed = false;
    for_each_object(Fields(exports, "result").list("exports"), "exports", [&](const Fields& each) {
        if (each.text("name") == name)
            claimed = each.text("claim") != "shared";
    });
    return claimed;
}

} // namespace

const char* word_of(State state) {
    switch (state) {
    case State::entering:
        return "entering";
    case State::in:
        return "in";
    case State::leaving:
        break;
    }
    return "leaving";
}

std::vector<Interposition> read_interpositions(const Json& attachments, const Json& exports) {
    std::vector<Interposition> all;
    for_each_object(Fields(attachments, "result").list("attachments"), "attachments",
                    [&](const Fields& each) {
                        const auto mark = each.has("interposed") ? each.object_or_null("interposed")
                                                                 : std::nullopt;
                        if (!mark)
                            return;
                        Interposition one;
                        one.export_name = each.text("export");
                        one.device = each.text("device");
                        one.identifier = each.text("identifier");
                        one.serving = each.text("state");
                        one.claimed = is_claimed(exports, one.export_name);
                        one.volume = mark->text("volume");
                        one.uuid = mark->text("uuid");
                        one.before = volume::parse_lines(mark->texts("before"));
                        one.after = volume::parse_lines(mark->texts("after"));
                        one.since = mark->text("since");
                        one.state = read_state(mark->text("state"));
                        one.fail_open = mark->flag("fail_open");
                        all.push_back(std::move(one));
                    });
    return all;
}

Json mark_of(const Interposition& one) {
    return {
        {"volume", one.volume},           {"uuid", one.uuid},   {"before", lines_json(one.before)},
        {"after", lines_json(one.after)}, {"since", one.since}, {"state", word_of(one.state)},
        {"fail_open", one.fail_open}};
}

std::vector<Interposition> interpositions(Client& client) {
    const Json attachments = client.call("attachment.list", Json::object());
    return read_interpositions(attachments, client.call("export.list", Json::object()));
}

std::optional<Interposition> find_interposition(const std::vector<Interposition>& all,
                                                const std::string& volume,
                                                const std::string& uuid) {
    for (const Interposition& each : all)
        if (uuid.empty() ? each.uuid.empty() && each.volume == volume : each.uuid == uuid)
            return each;
    return std::nullopt;
}

} // namespace interposed::ctl
