#include "interposectl/requests.hpp"

#include "config/nearest.hpp"
#include "config/quotes.hpp"
#include "interposectl/definition.hpp"
#include "interposectl/errors.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

namespace interposed::ctl {
namespace {

using config::in_quotes;

Json name_of(const Arguments& arguments) {
    return {{"name", arguments.operands.front()}};
}

/// What the server takes, in seconds.
constexpr double longest_pause = 3600;
constexpr double longest_wait = 365.0 * 24 * 3600;

/// No params at all are an object too.
Json nothing() {
    return Json::object();
}

/// The one option of these that is given, or "". Throws UsageError for several.
std::string_view one_of(const Arguments& arguments,
                        std::initializer_list<std::string_view> options) {
    std::string_view given;
    for (const std::string_view option : options) {
        if (!arguments.has(option))
            continue;
        if (!given.empty())
            throw UsageError("want one of --" + std::string(given) + " and --" +
                             std::string(option) + ", found both");
        given = option;
    }
    return given;
}

void check_word(const std::string& what, const std::string& word,
                std::span<const std::string_view> known) {
    if (std::find(known.begin(), known.end(), word) == known.end())
        throw UsageError(what + ": unknown " + in_quotes(word) + config::hint(word, known));
}

/// As a whole number where it is one: a server need not take 30.0 for 30.
Json seconds_json(double seconds) {
    const auto whole = static_cast<std::uint64_t>(seconds);
    return static_cast<double>(whole) == seconds ? Json(whole) : Json(seconds);
}

/// Above zero: nothing comes to an end in no time.
void add_timeout(Json& params, const Arguments& arguments, double longest) {
    const auto text = arguments.value("timeout");
    if (!text)
        return;
    const double seconds = parse_seconds("--timeout", *text);
    if (seconds <= 0 || seconds > longest)
        throw UsageError("--timeout: want more than 0 seconds, at most " +
                         std::to_string(std::lround(longest)) + ", found " + in_quotes(*text));
    params["timeout_s"] = seconds_json(seconds);
}

Request table_request(const Arguments& arguments) {
    Json params = name_of(arguments);
    params["slot"] = arguments.has("inactive") ? "inactive" : "live";
    return {"export.table", params};
}

Request remove_request(const Arguments& arguments) {
    Json params = name_of(arguments);
    if (const std::string_view clients = one_of(arguments, {"drain", "disconnect"});
        !clients.empty())
        params["clients"] = clients;
    return {"export.remove", params};
}

Request load_request(const Arguments& arguments) {
    Json params = name_of(arguments);
    params.update(read_definition(arguments.operands[1]));
    if (arguments.has("dm") && looks_like_json(params["definition"].get_ref<std::string&>()))
        throw LocalFailure(params["file"].get<std::string>() +
                           ": want lines of dmsetup, because of --dm, found JSON");
    return {"export.load", params};
}

Request pause_request(const char* method, const Arguments& arguments) {
    Json params = name_of(arguments);
    if (arguments.has("noflush"))
        params["flush"] = false;
    add_timeout(params, arguments, longest_pause);
    return {method, params};
}

Request resize_request(const Arguments& arguments) {
    Json params = name_of(arguments);
    if (const auto size = arguments.operand(1))
        params["size"] = parse_size("SIZE", *size);
    return {"export.resize", params};
}

Request drain_request(const Arguments& arguments) {
    (void)one_of(arguments, {"undo", "wait"});
    Json params = nothing();
    if (const auto name = arguments.operand(0))
        params["name"] = *name;
    params["on"] = !arguments.has("undo");
    return {"export.drain", params};
}

/// Without limits to set it shows them, and changes nothing.
Request qos_request(const Arguments& arguments) {
    if (arguments.options.empty())
        return {"export.status", name_of(arguments)};
    Json qos = nothing();
    for (const auto& [option, text] : arguments.options) {
        std::string key = option;
        std::replace(key.begin(), key.end(), '-', '_');
        const bool bytes = key.find("bandwidth") != std::string::npos;
        qos[key] = bytes ? parse_size("--" + option, text) : parse_count("--" + option, text);
    }
    Json params = name_of(arguments);
    params["qos"] = qos;
    return {"export.qos", params};
}

Request claim_request(const Arguments& arguments) {
    constexpr std::array<std::string_view, 2> claims = {"adopted", "shared"};
    check_word("CLAIM", arguments.operands[1], claims);
    Json params = name_of(arguments);
    add_timeout(params, arguments, longest_pause);
    return {arguments.operands[1] == claims[0] ? "export.adopt" : "export.release", params};
}

Request attach_request(const Arguments& arguments) {
    Json attach = {{"device", arguments.operand(1).value_or("auto")}};
    if (const auto count = arguments.value("connections"))
        attach["connections"] = parse_count("--connections", *count);
    if (const auto size = arguments.value("block-size"))
        attach["block_size"] = parse_size("--block-size", *size);
    if (const auto seconds = arguments.value("timeout"))
        attach["timeout_s"] = parse_count("--timeout", *seconds);
    if (const auto seconds = arguments.value("dead-conn-timeout"))
        attach["dead_conn_timeout_s"] = parse_count("--dead-conn-timeout", *seconds);
    if (const auto identifier = arguments.value("identifier"))
        attach["identifier"] = *identifier;
    Json params = name_of(arguments);
    params["attach"] = attach;
    return {"export.attach", params};
}

Request detach_request(const Arguments& arguments) {
    Json params = name_of(arguments);
    params["force"] = arguments.has("force");
    return {"export.detach", params};
}

/// SESSION, --export NAME or --client ADDR; `index` is the operand's.
Json chosen_sessions(const Arguments& arguments, std::size_t index) {
    const std::string_view option = one_of(arguments, {"export", "client"});
    const auto session = arguments.operand(index);
    if (session.has_value() == !option.empty())
        throw UsageError(std::string(arguments.verb->name) +
                         ": want exactly one of SESSION, --export NAME and --client ADDR, found " +
                         (session ? "several" : "none"));
    if (session)
        return {{"session", parse_count("SESSION", *session)}};
    return {{std::string(option), *arguments.value(option)}};
}

Request disconnect_request(const Arguments& arguments) {
    Json params = chosen_sessions(arguments, 0);
    if (arguments.has("now"))
        params["how"] = "now";
    return {"session.disconnect", params};
}

Request trace_request(const Arguments& arguments) {
    constexpr std::array<std::string_view, 2> states = {"on", "off"};
    check_word("trace", arguments.operands.front(), states);
    Json params = chosen_sessions(arguments, 1);
    params["on"] = arguments.operands.front() == "on";
    return {"trace", params};
}

Request log_request(const Arguments& arguments) {
    constexpr std::array<std::string_view, 4> levels = {"error", "warning", "info", "debug"};
    constexpr std::array<std::string_view, 2> formats = {"text", "json"};
    Json params = nothing();
    if (const auto level = arguments.value("level")) {
        check_word("--level", *level, levels);
        params["level"] = *level;
    }
    if (const auto format = arguments.value("format")) {
        check_word("--format", *format, formats);
        params["format"] = *format;
    }
    return {"log", params};
}

Request reload_request(const Arguments& arguments) {
    Json params = nothing();
    if (const std::string_view removed = one_of(arguments, {"drain", "disconnect"});
        !removed.empty())
        params["removed"] = removed;
    const std::string_view wins = one_of(arguments, {"configuration-wins", "runtime-wins"});
    if (!wins.empty())
        params["runtime"] = wins.substr(0, wins.find('-'));
    return {"reload", params};
}

Request wait_request(const Arguments& arguments) {
    check_word("wait", arguments.operands.front(), event_names);
    Json params = {{"event", arguments.operands.front()}};
    if (const auto name = arguments.operand(1))
        params["export"] = *name;
    add_timeout(params, arguments, longest_wait);
    return {"wait", params};
}

/// The verbs whose one operand, if it is there, is the member `key`.
Request plain_request(const char* method, const char* key, const Arguments& arguments) {
    Json params = nothing();
    if (const auto operand = arguments.operand(0))
        params[key] = *operand;
    return {method, params};
}

struct Builder {
    std::string_view verb;
    Request (*build)(const Arguments&);
};

constexpr std::array builders = {
    Builder{"ls",
            [](const Arguments&) {
                return Request{"export.list", nothing()};
            }},
    Builder{"status", [](const Arguments& a) { return plain_request("export.status", "name", a); }},
    Builder{"table", table_request},
    Builder{"map", table_request},
    Builder{"create",
            [](const Arguments& a) {
                return Request{"export.create", read_definition(a.operands.front())};
            }},
    Builder{"remove", remove_request},
    Builder{"load", load_request},
    Builder{"clear", [](const Arguments& a) { return plain_request("export.clear", "name", a); }},
    Builder{"suspend", [](const Arguments& a) { return pause_request("export.suspend", a); }},
    Builder{"resume", [](const Arguments& a) { return pause_request("export.resume", a); }},
    Builder{"resize", resize_request},
    Builder{"reopen", [](const Arguments& a) { return plain_request("export.reopen", "name", a); }},
    Builder{"drain", drain_request},
    Builder{"qos", qos_request},
    Builder{"claim", claim_request},
    Builder{"attach", attach_request},
    Builder{"detach", detach_request},
    Builder{"attached",
            [](const Arguments&) {
                return Request{"attachment.list", nothing()};
            }},
    Builder{"sessions",
            [](const Arguments& a) { return plain_request("session.list", "export", a); }},
    Builder{"disconnect", disconnect_request},
    Builder{"trace", trace_request},
    Builder{"log", log_request},
    Builder{"reload", reload_request},
    Builder{"top",
            [](const Arguments&) {
                return Request{"statistics", nothing()};
            }},
    Builder{"statistics",
            [](const Arguments&) {
                return Request{"statistics", nothing()};
            }},
    Builder{"metrics",
            [](const Arguments&) {
                return Request{"metrics", nothing()};
            }},
    Builder{"wait", wait_request},
    Builder{"version",
            [](const Arguments&) {
                return Request{"version", nothing()};
            }},
};

} // namespace

Request request_for(const Arguments& arguments) {
    const auto found = std::find_if(builders.begin(), builders.end(), [&](const Builder& each) {
        return each.verb == arguments.verb->name;
    });
    return found->build(arguments);
}

Watch watch_for(const Arguments& arguments) {
    Watch watch;
    if (const auto text = arguments.value("interval"))
        watch.interval_s = parse_seconds("--interval", *text);
    // What looks more often than that mostly sees itself.
    if (watch.interval_s < 0.05 || watch.interval_s > 86400)
        throw UsageError("--interval: want 0.05 to 86400 seconds, found " +
                         in_quotes(*arguments.value("interval")));
    if (const auto text = arguments.value("count"))
        watch.count = parse_count("--count", *text);
    if (watch.count == 0U)
        throw UsageError("--count: want at least 1, found 0");
    watch.devices = arguments.has("devices");
    return watch;
}

} // namespace interposed::ctl
