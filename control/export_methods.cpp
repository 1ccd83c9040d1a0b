#include "config/quotes.hpp"
#include "control/exports_by_name.hpp"
#include "control/methods.hpp"
#include "control/reports.hpp"
#include "devices/device.hpp"

#include <array>
#include <system_error>
#include <utility>

// The methods about exports.
namespace interposed::control {

namespace {

constexpr double longest_pause = 3600;                     // seconds
constexpr std::uint64_t largest_rate = 0x7fffffffffffffff; // as in the configuration
constexpr std::array<const char*, 2> slot_words = {"live", "inactive"};

/// A definition, as the text it is parsed from.
struct Definition {
    std::string text;
    std::string file;
    std::string folder;
};

Definition take_definition(Params& params) {
    const Json* const given = params.value("definition");
    if (given == nullptr)
        throw WrongParams("params.definition: want JSON, or its text, found nothing");
    Definition definition;
    definition.text = given->is_string() ? given->get<std::string>() : given->dump(1);
    definition.file = params.optional_text("file").value_or("request");
    definition.folder = params.optional_text("folder").value_or("/");
    if (!definition.folder.starts_with('/'))
        throw WrongParams("params.folder: want an absolute path, found " +
                          config::in_quotes(definition.folder));
    params.end();
    return definition;
}

Administration::HowToPause take_pause(Params& params) {
    const bool flush = params.truth("flush", true);
    const double timeout = params.seconds("timeout_s", 30, longest_pause);
    params.end();
    return {.flush = flush, .timeout = Administration::Seconds(timeout)};
}

Json json_of(Administration& administration, const server::LiveExport& live) {
    return export_json(live, administration.origin_of(live));
}

} // namespace

asio::awaitable<std::string> Methods::export_status(Params params) {
    const auto name = params.optional_text("name");
    params.end();
    Json exports = Json::array();
    if (name) {
        exports.push_back(json_of(administration_, *administration_.find(*name)));
    } else {
        for (const auto& live : administration_.server().exports().all())
            exports.push_back(json_of(administration_, *live));
        for (const std::string& disabled : administration_.disabled())
            exports.push_back(disabled_json(disabled));
    }
    co_return text_of(Json{{"exports", std::move(exports)}});
}

asio::awaitable<std::string> Methods::export_table(Params params) {
    const std::string name = params.text("name");
    const char* const slot = slot_words.at(params.word("slot", slot_words, 0));
    params.end();
    const auto live = administration_.find(name);
    const auto of = slot == slot_words[0] ? live->now() : live->loaded();
    if (!of)
        throw Refusal(RefusalKind::not_found, export_text(name) + " has no table loaded");
    auto write = [of, slot] { return table_text(*of, slot); };
    auto text = co_await jobs_.run("writing the table", std::move(write),
                                   Clock::now() + Administration::open_deadline);
    co_return text;
}

asio::awaitable<std::string> Methods::export_create(Params params) {
    const Definition definition = take_definition(params);
    auto parse = [definition] {
        return config::parse_export(definition.text, definition.file, definition.folder);
    };
    Administration::Text<config::Export> made{.file = definition.file, .parse = std::move(parse)};
    const auto live = co_await administration_.create(std::move(made));
    co_return text_of(Json{{"export", json_of(administration_, *live)}});
}

asio::awaitable<std::string> Methods::export_remove(Params params) {
    const std::string name = params.text("name");
    const auto clients =
        static_cast<Administration::Clients>(params.word("clients", client_words, 0));
    params.end();
    const bool removed = co_await administration_.remove(name, clients);
    co_return text_of(Json{{"removed", removed}});
}

asio::awaitable<std::string> Methods::export_load(Params params) {
    const std::string name = params.text("name");
    const Definition definition = take_definition(params);
    const Clock::time_point begin = Clock::now();
    auto parse = [definition] {
        return config::parse_table(definition.text, definition.file, definition.folder);
    };
    Administration::Text<std::vector<config::Segment>> table{.file = definition.file,
                                                             .parse = std::move(parse)};
    const auto loaded = co_await administration_.load(name, std::move(table));
    const Administration::Seconds took = Clock::now() - begin;
    co_return text_of(Json{{"inactive", loaded_json(*loaded)}, {"seconds", took.count()}});
}

asio::awaitable<std::string> Methods::export_clear(Params params) {
    const std::string name = params.text("name");
    params.end();
    const bool cleared = co_await administration_.clear(name);
    co_return text_of(Json{{"cleared", cleared}});
}

asio::awaitable<std::string> Methods::export_suspend(Params params) {
    const std::string name = params.text("name");
    const auto how = take_pause(params);
    const Clock::time_point begin = Clock::now();
    co_await administration_.suspend(name, how);
    const Administration::Seconds took = Clock::now() - begin;
    co_return text_of(Json{{"suspended", true}, {"seconds", took.count()}});
}

asio::awaitable<std::string> Methods::export_resume(Params params) {
    const std::string name = params.text("name");
    const auto how = take_pause(params);
    const auto done = co_await administration_.resume(name, how);
    co_return text_of(Json{{"swapped", done.swapped},
                           {"generation", done.generation},
                           {"pause_s", done.pause.count()}});
}

asio::awaitable<std::string> Methods::export_resize(Params params) {
    const std::string name = params.text("name");
    const auto size = params.number("size");
    params.end();
    const auto done = co_await administration_.resize(name, size);
    co_return text_of(
        Json{{"size", done.size}, {"grown", done.grown}, {"pause_s", done.pause.count()}});
}

asio::awaitable<std::string> Methods::export_reopen(Params params) {
    const std::string name = params.text("name");
    params.end();
    const auto done = co_await administration_.reopen(name);
    Json cleared = Json::array();
    for (const auto& each : done)
        cleared.push_back({{"device", each.device},
                           {"flush_error", std::generic_category().message(each.error)}});
    co_return text_of(Json{{"cleared", std::move(cleared)}});
}

asio::awaitable<std::string> Methods::export_drain(Params params) {
    const auto name = params.optional_text("name");
    const bool on = params.truth("on", true);
    params.end();
    const std::uint64_t connections = co_await administration_.drain(name, on);
    co_return text_of(Json{{"draining", on}, {"connections", connections}});
}

asio::awaitable<std::string> Methods::export_qos(Params params) {
    const std::string name = params.text("name");
    const Json* const given = params.value("qos");
    if (given == nullptr)
        throw WrongParams("params.qos: want an object of limits, found nothing");
    Params limits(*given);
    params.end();
    const auto take = [&limits](const std::string& prefix) {
        return std::array{limits.number((prefix + "iops").c_str()),
                          limits.number((prefix + "iops_burst").c_str()),
                          limits.number((prefix + "bandwidth").c_str()),
                          limits.number((prefix + "bandwidth_burst").c_str())};
    };
    const auto all = take("");
    const auto per_client = take("client_");
    limits.end();
    for (const auto& wishes : {all, per_client}) {
        for (const auto& wish : wishes) {
            if (wish.value_or(0) > largest_rate)
                throw WrongParams("params.qos: want at most " + std::to_string(largest_rate) +
                                  ", found " + std::to_string(*wish));
        }
    }
    const auto set = [](config::RateLimit& limit, const auto& wishes) {
        limit.iops = wishes[0].value_or(limit.iops);
        limit.iops_burst = wishes[1].value_or(limit.iops_burst);
        limit.bandwidth = wishes[2].value_or(limit.bandwidth);
        limit.bandwidth_burst = wishes[3].value_or(limit.bandwidth_burst);
        if ((limit.iops == 0 && wishes[1].value_or(0) > 0) ||
            (limit.bandwidth == 0 && wishes[3].value_or(0) > 0))
            throw WrongParams("params.qos: want a rate beside its burst, found the burst alone");
        if (limit.iops == 0)
            limit.iops_burst = 0;
        if (limit.bandwidth == 0)
            limit.bandwidth_burst = 0;
    };
    std::function<void(config::Qos&)> change = [all, per_client, set](config::Qos& qos) {
        set(qos.all, all);
        set(qos.per_client, per_client);
    };
    co_await administration_.set_qos(name, std::move(change));
    const auto live = administration_.find(name);
    co_return text_of(Json{{"qos", qos_json(live->now()->definition->source.qos)}});
}

} // namespace interposed::control
