#include "control/reports.hpp"

#include "control/params.hpp"
#include "devices/device.hpp"

#include <chrono>
#include <optional>
#include <system_error>

namespace interposed::control {

namespace {

using server::Totals;

constexpr std::uint64_t sector = 512; // of device-mapper's tables, whatever the device's block is

double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

bool is_block_device(const devices::DeviceInfo& info) {
    return info.identity.kind == devices::DeviceKind::block_device;
}

Json device_json(const devices::Device& device) {
    const devices::Claim& claim = device.claim();
    const int lost = device.flush_error();
    return {{"device", device.info().path},
            {"identity", to_string(device.info().identity)},
            {"kind", is_block_device(device.info()) ? "block" : "file"},
            {"size", device.size()},
            {"cache", to_string(claim.cache())},
            {"access", device.writable() ? "read_write" : "read_only"},
            {"flush_error", lost == 0 ? Json() : Json(std::generic_category().message(lost))}};
}

Json devices_json(const server::Export& of) {
    Json all = Json::array();
    for (const auto& device : of.opened)
        all.push_back(device_json(*device));
    return all;
}

const char* cache_word(config::Cache cache) {
    switch (cache) {
    case config::Cache::buffered:
        return "buffered";
    case config::Cache::direct:
        return "direct";
    case config::Cache::automatic:
        break;
    }
    return "automatic";
}

const char* framing_word(protocol::Framing framing) {
    switch (framing) {
    case protocol::Framing::simple:
        return "simple";
    case protocol::Framing::structured:
        return "structured";
    case protocol::Framing::extended:
        break;
    }
    return "extended";
}

Json kinds_json(const Totals& totals) {
    Json kinds = Json::object();
    for (std::size_t i = 0; i < server::request_kinds; ++i) {
        const server::KindTotals& of = totals.kinds[i];
        kinds[server::request_kind_names[i]] = {{"requests", of.requests},
                                                {"bytes", of.bytes},
                                                {"errors", of.all_errors()},
                                                {"latency_s_sum", seconds(of.latency_sum)},
                                                {"latency", of.latency}};
    }
    return kinds;
}

/// Why a table cannot be said in dmsetup's words; nullopt: it can.
std::optional<std::string> why_not_dm(const server::Export& of) {
    for (const mapping::Segment& segment : of.table->table().segments()) {
        const std::string& path = of.devices[segment.device];
        if (segment.start % sector != 0 || segment.length % sector != 0 ||
            segment.device_offset % sector != 0)
            return "the segment at " + std::to_string(segment.start) +
                   " is not in whole sectors of 512 bytes";
        if (path.find_first_of(" \t\n\\") != std::string::npos)
            return "the name of device \"" + path + "\" has blanks in it";
    }
    return std::nullopt;
}

std::string dm_device(const server::Export& of, std::uint32_t device) {
    const devices::DeviceInfo& info = of.definition->resolved.devices[device].info;
    return is_block_device(info) ? to_string(info.identity) : info.path;
}

} // namespace

Json qos_json(const config::Qos& qos) {
    return {{"iops", qos.all.iops},
            {"iops_burst", qos.all.iops_burst},
            {"bandwidth", qos.all.bandwidth},
            {"bandwidth_burst", qos.all.bandwidth_burst},
            {"client_iops", qos.per_client.iops},
            {"client_iops_burst", qos.per_client.iops_burst},
            {"client_bandwidth", qos.per_client.bandwidth},
            {"client_bandwidth_burst", qos.per_client.bandwidth_burst}};
}

Json loaded_json(const server::Export& loaded) {
    return {{"size", loaded.size()},
            {"segments", loaded.table->table().segments().size()},
            {"devices", devices_json(loaded)}};
}

Json export_json(const server::LiveExport& live, const Administration::Origin& origin) {
    const auto now = live.now();
    const auto loaded = live.loaded();
    const devices::Limits& limits = now->layer().limits();
    const config::Export& source = now->definition->source;
    return {{"name", now->name},
            {"description", now->description},
            {"state", live.held()       ? "suspended"
                      : live.draining() ? "draining"
                                        : "live"},
            {"disabled_because", nullptr},
            {"size", now->size()},
            {"minimum_block", limits.minimum_block},
            {"preferred_block", limits.preferred_block},
            {"read_only", now->read_only},
            {"claim", to_string(source.claim)},
            {"cache", cache_word(source.cache)},
            {"generation", now->generation},
            {"segments", now->table->table().segments().size()},
            {"devices", devices_json(*now)},
            {"inactive", loaded ? loaded_json(*loaded) : Json()},
            {"connections", live.connections()},
            {"max_connections", now->max_connections ? Json(*now->max_connections) : Json()},
            {"allow", source.allow ? Json::parse(config::to_json(*source.allow)) : Json()},
            {"origin", origin.runtime ? "runtime" : "configuration"},
            {"changed", origin.changed},
            {"recorded", origin.recorded},
            {"tracing", live.tracing()},
            {"interposed",
             source.interposed ? Json::parse(config::to_json(*source.interposed)) : Json()},
            {"qos", qos_json(source.qos)}};
}

Json disabled_json(const std::string& name) {
    return {{"name", name},
            {"state", "disabled"},
            {"disabled_because", "a device that it may do without is absent"}};
}

Json session_json(const server::Connection& connection) {
    const auto status = connection.status();
    return {{"session", connection.id()},
            {"export", status.framing ? Json(status.export_name) : Json()},
            {"client", connection.peer().name},
            {"since", seconds(status.since.time_since_epoch())},
            {"read_only", status.framing ? Json(status.read_only) : Json()},
            {"framing", status.framing ? Json(framing_word(*status.framing)) : Json()},
            {"tls", status.tls.empty() ? Json() : Json(status.tls)},
            {"requests", status.requests},
            {"errors", status.errors},
            {"bytes_read", status.bytes_read},
            {"bytes_written", status.bytes_written},
            {"in_flight", status.in_flight},
            {"tracing", connection.tracing()}};
}

Json statistics_json(const server::ServerReport& report) {
    Json bounds = Json::array();
    for (const auto bound : server::latency_bounds)
        bounds.push_back(seconds(bound));
    Json exports = Json::array();
    for (const server::ExportReport& each : report.exports)
        exports.push_back({{"name", each.name},
                           {"generation", each.generation},
                           {"connections", each.connections},
                           {"in_flight", each.in_flight},
                           {"throttled", each.throttled},
                           {"kinds", kinds_json(each.totals)},
                           {"devices", each.devices}});
    Json devices = Json::array();
    for (const server::DeviceReport& each : report.devices)
        devices.push_back({{"device", each.path},
                           {"identity", each.identity},
                           {"in_flight", each.in_flight},
                           {"cached_reads", each.cached_reads},
                           {"kinds", kinds_json(each.totals)}});
    return {{"time", seconds(report.when.time_since_epoch())},
            {"uptime_s", seconds(report.uptime)},
            {"latency_bounds_s", std::move(bounds)},
            {"exports", std::move(exports)},
            {"devices", std::move(devices)},
            {"server",
             {{"connections", report.connections},
              {"accepted", report.accepted},
              {"turned_away", report.turned_away},
              {"handshake_failures", report.handshake_failures}}}};
}

std::string table_text(const server::Export& of, const char* slot) {
    const auto impossible = why_not_dm(of);
    Json segments = Json::array();
    Json lines = Json::array();
    for (const mapping::Segment& segment : of.table->table().segments()) {
        const devices::DeviceInfo& info = of.definition->resolved.devices[segment.device].info;
        segments.push_back({{"start", segment.start},
                            {"length", segment.length},
                            {"kind", "linear"},
                            {"device", info.path},
                            {"identity", to_string(info.identity)},
                            {"offset", segment.device_offset}});
        if (!impossible)
            lines.push_back(std::to_string(segment.start / sector) + " " +
                            std::to_string(segment.length / sector) + " linear " +
                            dm_device(of, segment.device) + " " +
                            std::to_string(segment.device_offset / sector));
    }
    const Json all = {{"name", of.name},
                      {"slot", slot},
                      {"size", of.size()},
                      {"segments", std::move(segments)},
                      {"dm", impossible ? Json() : std::move(lines)},
                      {"dm_impossible", impossible ? Json(*impossible) : Json()}};
    return text_of(all);
}

} // namespace interposed::control
