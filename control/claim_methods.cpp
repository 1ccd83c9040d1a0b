#include "control/methods.hpp"

#include <utility>

// The methods about what becomes of an export when a volume of the kernel leads to it.
namespace interposed::control {

namespace {

constexpr double longest_pause = 3600; // seconds

} // namespace

asio::awaitable<std::string> Methods::change_claim(Params params, config::Claim claim) {
    const std::string name = params.text("name");
    const Administration::Seconds timeout(params.seconds("timeout_s", 30, longest_pause));
    params.end();
    const auto done = co_await administration_.change_claim(name, claim, timeout);
    co_return text_of(Json{{"claim", to_string(claim)},
                           {"changed", done.changed},
                           {"free", claim == config::Claim::shared && done.free},
                           {"recorded", administration_.records()},
                           {"pause_s", done.pause.count()}});
}

asio::awaitable<std::string> Methods::export_adopt(Params params) {
    return change_claim(std::move(params), config::Claim::adopted);
}

asio::awaitable<std::string> Methods::export_release(Params params) {
    return change_claim(std::move(params), config::Claim::shared);
}

asio::awaitable<std::string> Methods::export_mark(Params params) {
    const std::string name = params.text("name");
    if (!params.has("interposed"))
        throw WrongParams("params.interposed: want an object or null, found nothing");
    std::optional<config::Interposition> interposed;
    if (const Json* const given = params.value("interposed"))
        interposed = config::parse_interposition(given->dump(1), "request");
    params.end();
    std::function<void(config::Export&)> change = [interposed](config::Export& of) {
        of.interposed = interposed;
    };
    co_await administration_.change_terms("mark", name, std::move(change));
    co_return text_of(
        Json{{"interposed", interposed ? Json::parse(config::to_json(*interposed)) : Json()},
             {"recorded", administration_.records()}});
}

} // namespace interposed::control
