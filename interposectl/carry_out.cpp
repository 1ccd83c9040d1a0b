#include "interposectl/carry_out.hpp"

#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/interpose.hpp"
#include "interposectl/map.hpp"
#include "interposectl/render.hpp"
#include "interposectl/requests.hpp"
#include "interposectl/terminal.hpp"
#include "interposectl/text.hpp"
#include "interposectl/top.hpp"

namespace interposed::ctl {
namespace {

std::string text_of(const Arguments& arguments, const Json& result) {
    const std::string_view verb = arguments.verb->name;
    if (verb == "ls")
        return exports_table(result);
    if (verb == "status")
        return exports_text(result);
    if (verb == "table")
        return arguments.has("dm") ? table_dm_text(result) : table_json_text(result);
    if (verb == "map")
        return draw_map(read_table(result), terminal_size().columns);
    if (verb == "sessions")
        return sessions_table(result);
    if (verb == "attached")
        return attached_table(result);
    if (verb == "statistics")
        return statistics_text(result);
    if (verb == "metrics")
        return harmless(Fields(result, "result").text("text"), true);
    return done_text(arguments, result);
}

/// One export, or each that there is: none of them gets new clients, so one after the other will
/// do. One that has been removed meanwhile has no clients either.
void wait_until_drained(Client& client, const Arguments& arguments) {
    std::vector<std::string> names;
    if (const auto name = arguments.operand(0)) {
        names.push_back(*name);
    } else {
        const Json all = client.call("export.list", Json::object());
        for_each_object(Fields(all, "result").list("exports"), "exports",
                        [&](const Fields& each) { names.push_back(each.text("name")); });
    }
    for (const std::string& name : names) {
        try {
            (void)client.call("wait", {{"event", "drained"}, {"export", name}});
        } catch (const Refused& why) {
            if (why.code() != code_not_found)
                throw;
        }
    }
}

/// The limits alone, as if they had just been set.
Json qos_of(const Json& status, const std::string& name) {
    const Json& exports = Fields(status, "result").list("exports");
    if (exports.empty())
        throw Unreachable("the server's answer: want the export " + export_name(name));
    return {{"qos", Fields(exports.front(), "exports[0]").members("qos")}};
}

/// Those that are more than a call of the server; null for the others.
Exit (*volume_verb(std::string_view verb))(const Arguments&) {
    if (verb == "interpose")
        return interpose;
    if (verb == "release")
        return release;
    if (verb == "guard")
        return guard;
    return verb == "interposed" ? show_interposed : nullptr;
}

Json result_of(Client& client, const Arguments& arguments, const Request& request) {
    const std::string_view verb = arguments.verb->name;
    Json result = client.call(request.method, request.params);
    if (verb == "drain" && arguments.has("wait")) {
        wait_until_drained(client, arguments);
        result["connections"] = 0U;
    }
    if (verb == "qos" && arguments.options.empty())
        result = qos_of(result, arguments.operands.front());
    // Also with --json: the reason is an error, not a result.
    if (verb == "table" && arguments.has("dm"))
        (void)table_dm_text(result);
    return result;
}

} // namespace

Exit carry_out(const Arguments& arguments) {
    if (arguments.verb->name == "top") {
        const Watch wish = watch_for(arguments);
        Client client(socket_path(arguments));
        watch(client, wish, arguments.json);
        return Exit::done;
    }
    if (const auto verb = volume_verb(arguments.verb->name))
        return verb(arguments);
    const Request request = request_for(arguments);
    Client client(socket_path(arguments));
    const Json result = result_of(client, arguments, request);
    print(arguments.json ? json_text(result, is_terminal()) + "\n" : text_of(arguments, result));
    return Exit::done;
}

} // namespace interposed::ctl
