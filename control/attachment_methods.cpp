#include "control/methods.hpp"
#include "control/reports.hpp"

#include <utility>

// The methods about exports as devices of this host's kernel.
namespace interposed::control {

namespace {

const char* state_word(Attachment::State state) {
    switch (state) {
    case Attachment::State::waiting:
        return "waiting";
    case Attachment::State::serving:
        return "serving";
    case Attachment::State::left:
        break;
    }
    return "disconnected";
}

Json json_of(const Attachment::Status& status) {
    Json json = {{"export", status.export_name},
                 {"device", status.device},
                 {"identifier", status.identifier},
                 {"state", state_word(status.state)},
                 {"connections", status.connections},
                 {"block_size", status.block_size},
                 {"size", status.size},
                 {"lease", status.lease}};
    if (!status.why.empty())
        json["why"] = status.why;
    if (status.since)
        json["since"] = std::chrono::duration<double>(status.since->time_since_epoch()).count();
    return json;
}

} // namespace

asio::awaitable<std::string> Methods::export_attach(Params params) {
    const std::string name = params.text("name");
    const Json* const given = params.value("attach");
    const std::string text = given == nullptr ? R"("auto")" : given->dump();
    params.end();
    const auto status = co_await attachments_.attach(name, config::parse_attach(text, "request"));
    co_return text_of(json_of(status));
}

asio::awaitable<std::string> Methods::export_detach(Params params) {
    const std::string name = params.text("name");
    const bool force = params.truth("force", false);
    params.end();
    co_await attachments_.detach(name, force);
    co_return text_of(Json{{"detached", true}});
}

asio::awaitable<std::string> Methods::attachment_list(Params params) {
    params.end();
    Json all = Json::array();
    for (const Attachments::Listed& each : attachments_.list()) {
        Json one = json_of(each.status);
        if (each.interposed)
            one["interposed"] = Json::parse(config::to_json(*each.interposed));
        all.push_back(std::move(one));
    }
    co_return text_of(Json{{"attachments", std::move(all)}});
}

asio::awaitable<std::string> Methods::hand_over(Params params) {
    const std::string socket = params.text("socket");
    params.end();
    const std::size_t attachments = co_await attachments_.hand_over(socket);
    co_return text_of(Json{{"attachments", attachments}});
}

} // namespace interposed::control
