#include "control/methods.hpp"
#include "control/openmetrics.hpp"
#include "control/reports.hpp"
#include "devices/device.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <array>
#include <unistd.h>
#include <utility>

// The methods about sessions and the server itself.
namespace interposed::control {

namespace {

constexpr std::array<const char*, 4> level_words = {"error", "warning", "info", "debug"};
constexpr std::array<const char*, 2> format_words = {"text", "json"};
constexpr std::array<const char*, 2> end_words = {"orderly", "now"};
constexpr std::array<const char*, 3> winner_words = {"refuse", "configuration", "runtime"};
constexpr double longest_wait = 365.0 * 24 * 3600; // seconds

using Connections = std::vector<std::shared_ptr<server::Connection>>;

/// Which sessions are meant: one by its number, or those of an export or of a client.
struct Choice {
    std::optional<std::uint64_t> session;
    std::optional<std::string> export_name;
    std::optional<std::string> client;

    [[nodiscard]] bool matches(const server::Connection& connection) const {
        if (session)
            return connection.id() == *session;
        if (client)
            return connection.peer().client == *client || connection.peer().name == *client;
        const auto status = connection.status();
        return status.framing && status.export_name == *export_name;
    }
};

/// Why this needs not be waited for: it is so already, and may never happen again.
std::optional<std::string> already(server::EventKind kind, server::LiveExport& live) {
    switch (kind) {
    case server::EventKind::drained:
        return live.connections() == 0 ? std::optional("it is so") : std::nullopt;
    case server::EventKind::suspended:
        return live.held() ? std::optional("it is so") : std::nullopt;
    case server::EventKind::flush_error:
        for (const auto& device : live.now()->opened) {
            if (const int error = device->flush_error(); error != 0)
                return "device \"" + device->info().path +
                       "\": flush failed: " + std::generic_category().message(error);
        }
        return std::nullopt;
    default:
        return std::nullopt;
    }
}

Choice take_choice(Params& params) {
    Choice choice{params.number("session"), params.optional_text("export"),
                  params.optional_text("client")};
    if (choice.session.has_value() + choice.export_name.has_value() + choice.client.has_value() !=
        1)
        throw WrongParams("params: want exactly one of \"session\", \"export\" and \"client\"");
    return choice;
}

Connections chosen(server::Server& server, const Choice& choice) {
    Connections all = server.connections();
    std::erase_if(all, [&choice](const auto& each) { return !choice.matches(*each); });
    if (all.empty() && choice.session)
        throw Refusal(RefusalKind::not_found,
                      "there is no session " + std::to_string(*choice.session));
    return all;
}

} // namespace

asio::awaitable<std::string> Methods::version(Params params) {
    params.end();
    const auto report = administration_.server().report();
    const StateStore* const store = administration_.store();
    co_return text_of(Json{{"server", report.version},
                           {"protocol", protocol_version},
                           {"pid", ::getpid()},
                           {"uptime_s", std::chrono::duration<double>(report.uptime).count()},
                           {"configuration", administration_.file().file},
                           {"state_dir", store == nullptr ? Json() : Json(store->folder())}});
}

asio::awaitable<std::string> Methods::session_list(Params params) {
    const auto export_name = params.optional_text("export");
    params.end();
    if (export_name)
        (void)administration_.find(*export_name);
    Json sessions = Json::array();
    for (const auto& connection : administration_.server().connections()) {
        const Choice choice{.session = {}, .export_name = export_name, .client = {}};
        if (!export_name || choice.matches(*connection))
            sessions.push_back(session_json(*connection));
    }
    co_return text_of(Json{{"sessions", std::move(sessions)}});
}

asio::awaitable<std::string> Methods::session_disconnect(Params params) {
    const Choice choice = take_choice(params);
    const bool now = params.word("how", end_words, 0) == 1;
    params.end();
    if (choice.export_name)
        (void)administration_.find(*choice.export_name);
    const Connections all = chosen(administration_.server(), choice);
    for (const auto& connection : all) {
        if (now)
            connection->abort();
        else
            connection->stop();
    }
    co_return text_of(Json{{"disconnected", all.size()}});
}

asio::awaitable<std::string> Methods::trace(Params params) {
    const Choice choice = take_choice(params);
    const bool on = params.truth("on", true);
    params.end();
    if (choice.export_name) // and those that are still to come
        administration_.find(*choice.export_name)->set_tracing(on);
    const Connections all = chosen(administration_.server(), choice);
    for (const auto& connection : all)
        connection->trace(on);
    co_return text_of(Json{{"sessions", all.size()}});
}

asio::awaitable<std::string> Methods::log(Params params) {
    const auto [level, format] = server::log::configuration();
    const std::size_t new_level =
        params.word("level", level_words, static_cast<std::size_t>(level));
    const std::size_t new_format =
        params.word("format", format_words, static_cast<std::size_t>(format));
    params.end();
    server::log::configure(static_cast<config::LogLevel>(new_level),
                           static_cast<config::LogFormat>(new_format));
    co_return text_of(
        Json{{"level", level_words.at(new_level)}, {"format", format_words.at(new_format)}});
}

asio::awaitable<std::string> Methods::reload(Params params) {
    const auto clients =
        static_cast<Administration::Clients>(params.word("removed", client_words, 0));
    const auto winner =
        static_cast<Administration::Winner>(params.word("runtime", winner_words, 0));
    params.end();
    const Clock::time_point begin = Clock::now();
    const auto done = co_await administration_.reload(clients, winner);
    const Administration::Seconds took = Clock::now() - begin;
    co_return text_of(Json{{"added", done.added},
                           {"removed", done.removed},
                           {"changed", done.changed},
                           {"unchanged", done.unchanged},
                           {"listeners_added", done.listeners_added},
                           {"listeners_removed", done.listeners_removed},
                           {"seconds", took.count()}});
}

asio::awaitable<std::string> Methods::statistics(Params params) {
    params.end();
    auto write = [&server = administration_.server()] {
        return text_of(statistics_json(server.report()));
    };
    auto text = co_await jobs_.run("adding up", std::move(write),
                                   Clock::now() + Administration::open_deadline);
    co_return text;
}

asio::awaitable<std::string> Methods::metrics(Params params) {
    params.end();
    auto write = [&server = administration_.server()] {
        const Json text = {
            {"text", render(server.report(), measure_process(), Dialect::openmetrics)}};
        return text_of(text);
    };
    auto text = co_await jobs_.run("adding up", std::move(write),
                                   Clock::now() + Administration::open_deadline);
    co_return text;
}

asio::awaitable<std::string> Methods::wait(Params params) {
    const std::string wanted = params.text("event");
    const auto export_name = params.optional_text("export");
    const double seconds = params.seconds("timeout_s", longest_wait, longest_wait);
    params.end();
    std::optional<server::EventKind> kind;
    if (wanted != "any") {
        const auto found = std::find(event_names.begin(), event_names.end(), wanted);
        if (found == event_names.end())
            throw WrongParams("params.event: want an event, or \"any\", found \"" + wanted + "\"");
        kind = static_cast<server::EventKind>(found - event_names.begin());
    }
    if (export_name && kind) {
        const auto live = administration_.server().exports().find(*export_name);
        if (const auto so = live ? already(*kind, *live) : std::nullopt)
            co_return text_of(Json{{"event", wanted}, {"export", *export_name}, {"detail", *so}});
    }
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                             Administration::Seconds(seconds));
    const auto event = co_await events_.next(kind, export_name, params.asker, deadline);
    if (!event)
        throw Refusal(RefusalKind::timeout, "\"" + wanted + "\" has not happened in time");
    co_return text_of(Json{
        {"event", event_names.at(static_cast<std::size_t>(event->kind))},
        {"export", event->kind == server::EventKind::reloaded ? Json() : Json(event->export_name)},
        {"detail", event->detail}});
}

} // namespace interposed::control
