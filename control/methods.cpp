#include "control/methods.hpp"

#include "config/quotes.hpp"
#include "devices/claim.hpp"
#include "server/log.hpp"

#include <utility>

namespace interposed::control {

namespace {

/// Requests up to this long are parsed where they arrive; longer ones where nobody waits for it.
constexpr std::size_t quickly_parsed = std::size_t{64} << 10;
constexpr std::size_t most_in_a_batch = 100;
constexpr std::size_t most_faults = 100;
constexpr int deepest = 64;

// JSON-RPC 2.0, "Error object"
constexpr int parse_error = -32700;
constexpr int invalid_request = -32600;
constexpr int method_not_found = -32601;
constexpr int invalid_params = -32602;
constexpr int internal_error = -32603;

/// Whether brackets are nested deeper than anything that is meant: the library goes down into them
/// on the stack.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            i += c == '\\' ? 1 : 0;
            in_string = c != '"';
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest)
                return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

const char* kind_word(RefusalKind kind) {
    switch (kind) {
    case RefusalKind::not_found:
        return "not_found";
    case RefusalKind::refused:
        return "refused";
    case RefusalKind::definition:
        return "definition";
    case RefusalKind::device:
        return "device";
    case RefusalKind::timeout:
        return "timeout";
    case RefusalKind::failed:
        return "failed";
    case RefusalKind::busy:
        return "busy";
    case RefusalKind::denied:
        break;
    }
    return "denied";
}

Json error_of(int code, const std::string& message, Json data = {}) {
    Json error = {{"code", code}, {"message", message}};
    if (!data.is_null())
        error["data"] = std::move(data);
    return error;
}

Json refusal_of(RefusalKind kind, const std::string& message) {
    return error_of(static_cast<int>(kind), message, {{"kind", kind_word(kind)}});
}

Json faults_of(const config::ConfigError& error, const std::string& file) {
    Json faults = Json::array();
    for (const config::Fault& fault : error.faults()) {
        if (faults.size() == most_faults)
            break;
        faults.push_back({{"file", file},
                          {"line", fault.place.line},
                          {"column", fault.place.column},
                          {"path", fault.place.path},
                          {"message", fault.message}});
    }
    Json error_json = refusal_of(RefusalKind::definition, error.what());
    error_json["data"]["faults"] = std::move(faults);
    return error_json;
}

/// What was thrown, for the client. To be called while it is being handled.
Json error_now(const std::string& file) {
    try {
        throw;
    } catch (const Refusal& why) {
        return refusal_of(why.kind(), why.what());
    } catch (const config::ConfigError& why) {
        return faults_of(why, file);
    } catch (const devices::ClaimError& why) {
        return refusal_of(RefusalKind::device, why.what());
    } catch (const WrongParams& why) {
        return error_of(invalid_params, why.what());
    } catch (const std::bad_alloc&) {
        return refusal_of(RefusalKind::failed, "no memory for it");
    } catch (const std::runtime_error& why) {
        return refusal_of(RefusalKind::failed, why.what());
    } catch (const std::exception& why) {
        return error_of(internal_error, why.what());
    }
}

std::string with_result(const Json& id, const std::string& result) {
    return R"({"jsonrpc":"2.0","id":)" + text_of(id) + ",\"result\":" + result + "}";
}

std::string with_error(const Json& id, const Json& error) {
    return R"({"jsonrpc":"2.0","id":)" + text_of(id) + ",\"error\":" + text_of(error) + "}";
}

bool is_id(const Json& id) {
    return id.is_null() || id.is_string() || id.is_number();
}

std::string file_of(const Json& request) {
    const auto params = request.find("params");
    if (params == request.end() || !params->is_object())
        return "request";
    const auto file = params->find("file");
    return file != params->end() && file->is_string() ? file->get<std::string>() : "request";
}

} // namespace

Methods::Methods(Administration& administration, Attachments& attachments, EventHub& events)
    : administration_(administration), attachments_(attachments), events_(events),
      jobs_(administration.server().context()) {}

const std::map<std::string, Methods::Method, std::less<>>& Methods::all() {
    static const std::map<std::string, Method, std::less<>> methods = {
        {"version", &Methods::version},
        {"export.list", &Methods::export_status},
        {"export.status", &Methods::export_status},
        {"export.table", &Methods::export_table},
        {"export.create", &Methods::export_create},
        {"export.remove", &Methods::export_remove},
        {"export.load", &Methods::export_load},
        {"export.clear", &Methods::export_clear},
        {"export.suspend", &Methods::export_suspend},
        {"export.resume", &Methods::export_resume},
        {"export.resize", &Methods::export_resize},
        {"export.reopen", &Methods::export_reopen},
        {"export.drain", &Methods::export_drain},
        {"export.qos", &Methods::export_qos},
        {"export.adopt", &Methods::export_adopt},
        {"export.release", &Methods::export_release},
        {"export.mark", &Methods::export_mark},
        {"export.attach", &Methods::export_attach},
        {"export.detach", &Methods::export_detach},
        {"attachment.list", &Methods::attachment_list},
        {"server.hand_over", &Methods::hand_over},
        {"session.list", &Methods::session_list},
        {"session.disconnect", &Methods::session_disconnect},
        {"trace", &Methods::trace},
        {"log", &Methods::log},
        {"reload", &Methods::reload},
        {"statistics", &Methods::statistics},
        {"metrics", &Methods::metrics},
        {"wait", &Methods::wait},
    };
    return methods;
}

/// A large definition becomes text again, which is what it is read from, where nobody waits.
asio::awaitable<Json> Methods::parse(std::string line) {
    const bool quick = line.size() <= quickly_parsed;
    auto work = [line = std::move(line)] {
        if (too_deep(line))
            return Json(Json::value_t::discarded);
        Json request = Json::parse(line, nullptr, false); // discarded, if it is none
        if (line.size() > quickly_parsed && request.is_object() && request.contains("params")) {
            Json& params = request["params"];
            if (params.is_object() && params.contains("definition") &&
                params["definition"].is_structured())
                params["definition"] = params["definition"].dump(1);
        }
        return request;
    };
    if (quick)
        co_return work();
    Json parsed = co_await jobs_.run("parsing", std::move(work),
                                     Clock::now() + Administration::open_deadline);
    co_return parsed;
}

asio::awaitable<std::string> Methods::answer(std::string line, std::shared_ptr<const Asker> asker) {
    Json request(Json::value_t::discarded);
    std::string failed;
    try {
        request = co_await parse(std::move(line));
    } catch (...) {
        failed = with_error(nullptr, error_now("request"));
    }
    if (!failed.empty())
        co_return failed;
    if (request.is_discarded())
        co_return with_error(nullptr, error_of(parse_error, "want JSON of at most 64 levels, found "
                                                            "something else"));
    if (!request.is_array()) {
        auto one = co_await answer_one(std::move(request), asker);
        co_return one;
    }
    if (request.empty() || request.size() > most_in_a_batch)
        co_return with_error(
            nullptr,
            error_of(invalid_request, "want 1 to " + std::to_string(most_in_a_batch) +
                                          " requests, found " + std::to_string(request.size())));
    std::string answers;
    for (Json& each : request) {
        if (asker->gone)
            break;
        const auto one = co_await answer_one(std::move(each), asker);
        if (!one.empty())
            answers += (answers.empty() ? "[" : ",") + one;
    }
    co_return answers.empty() ? answers : answers + "]";
}

asio::awaitable<std::string> Methods::answer_one(Json request, std::shared_ptr<const Asker> asker) {
    const bool is_request = request.is_object() && request.value("jsonrpc", Json()) == "2.0" &&
                            request.contains("method") && request["method"].is_string() &&
                            is_id(request.value("id", Json()));
    if (!is_request)
        co_return with_error(nullptr, error_of(invalid_request,
                                               "want an object with \"jsonrpc\": \"2.0\", "
                                               "\"method\" and \"id\", found something else"));
    const bool wants_answer = request.contains("id");
    const Json id = request.value("id", Json());
    const std::string file = file_of(request);
    const auto name = request["method"].get<std::string>();
    const auto method = all().find(name);
    std::string answer;
    if (method == all().end()) {
        answer = with_error(
            id, error_of(method_not_found, "no method is called " + config::in_quotes(name)));
        co_return wants_answer ? answer : std::string();
    }
    try {
        Json given = request.contains("params") ? std::move(request["params"]) : Json();
        if (asker->gone) // while it was being read
            co_return std::string();
        Params params(std::move(given));
        params.asker = asker.get();
        auto result = co_await (this->*method->second)(std::move(params));
        answer = with_result(id, result);
    } catch (...) {
        answer = with_error(id, error_now(file));
    }
    co_return wants_answer ? answer : std::string();
}

} // namespace interposed::control
