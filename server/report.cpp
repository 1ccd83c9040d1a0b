#include "devices/device.hpp"
#include "server/log.hpp"
#include "server/request_meter.hpp"
#include "server/server.hpp"

#include <algorithm>
#include <map>

namespace interposed::server {

namespace {

ExportReport report_of(const LiveExport& live) {
    const auto now = live.now();
    ExportReport report;
    report.name = now->name;
    report.size = now->size();
    report.generation = now->generation;
    report.segments = now->table->table().segments().size();
    report.connections = live.connections();
    report.in_flight = live.in_flight();
    report.suspended = live.held();
    report.draining = live.draining();
    report.read_only = now->read_only;
    report.inactive_table = live.loaded() != nullptr;
    report.devices = now->devices;
    if (now->statistics) {
        report.connections_ever = now->statistics->connections_ever;
        report.throttled = now->statistics->throttled;
        report.totals = now->statistics->totals();
    }
    return report;
}

RequestKind kind_of(devices::OpKind kind) {
    switch (kind) {
    case devices::OpKind::read:
        return RequestKind::read;
    case devices::OpKind::write:
        return RequestKind::write;
    case devices::OpKind::flush:
        return RequestKind::flush;
    case devices::OpKind::trim:
        return RequestKind::trim;
    case devices::OpKind::write_zeroes:
        return RequestKind::write_zeroes;
    case devices::OpKind::block_status:
        return RequestKind::block_status;
    case devices::OpKind::cache:
        return RequestKind::cache;
    }
    return RequestKind::other;
}

KindTotals totals_of(const devices::OpTotals& from) {
    KindTotals to;
    to.requests = from.requests;
    to.bytes = from.bytes;
    to.errors[static_cast<std::size_t>(ErrorKind::io)] = from.io_errors;
    to.errors[static_cast<std::size_t>(ErrorKind::no_space)] = from.no_space_errors;
    to.latency_sum = from.latency_sum;
    to.latency = from.latency;
    return to;
}

DeviceReport report_of(const devices::Device& device) {
    DeviceReport report;
    report.path = device.info().path;
    report.identity = to_string(device.info().identity);
    report.block_device = device.info().identity.kind == devices::DeviceKind::block_device;
    report.exclusive = device.claim_mode() != devices::ClaimMode::shared;
    report.read_only = !device.writable();
    if (const int error = device.flush_error(); error != 0)
        report.flush_error = std::generic_category().message(error);
    report.size = device.size();
    const devices::DeviceTotals totals = device.totals();
    report.in_flight = totals.in_flight;
    report.cached_reads = totals.cached_reads;
    for (std::size_t i = 0; i < devices::op_kinds; ++i)
        report.totals.kinds[static_cast<std::size_t>(kind_of(static_cast<devices::OpKind>(i)))] =
            totals_of(totals.kinds[i]);
    return report;
}

} // namespace

ServerReport Server::report() const {
    ServerReport report;
    report.when = std::chrono::system_clock::now();
    report.uptime = std::chrono::steady_clock::now() - started_;
    report.version = INTERPOSED_VERSION;
    report.connections = counters_.connections;
    report.accepted = counters_.accepted;
    report.turned_away = counters_.turned_away;
    report.handshake_failures = counters_.handshake_failures;
    report.memory_in_use = client_limits_.memory.taken();
    report.memory_limit = client_limits_.memory.total();
    report.log_lines_dropped = log::dropped();
    std::map<devices::DeviceIdentity, const devices::Device*> seen;
    for (const auto& live : exports_->all()) {
        report.exports.push_back(report_of(*live));
        const auto now = live->now();
        for (const auto& device : now->opened) {
            if (seen.emplace(device->info().identity, device.get()).second)
                report.devices.push_back(report_of(*device));
        }
    }
    return report;
}

std::string Server::summary() const {
    constexpr std::size_t most = 4;
    const std::size_t exports = exports_->all().size();
    std::string text = "serving " + std::to_string(exports) + " export" + (exports == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(most, listeners_.size()); ++i)
        text += (i == 0 ? " at " : ", ") + listeners_[i]->uri();
    if (listeners_.size() > most)
        text += " and " + std::to_string(listeners_.size() - most) + " more";
    return text;
}

} // namespace interposed::server
