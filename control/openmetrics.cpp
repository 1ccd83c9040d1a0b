#include "control/openmetrics.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <vector>

namespace interposed::control {

namespace {

using server::DeviceReport;
using server::ErrorKind;
using server::ExportReport;
using server::KindTotals;
using server::RequestKind;
using server::ServerReport;
using server::Totals;
using Type = Exposition::Type;

/// An export or a device: whatever requests are counted of.
struct Subject {
    std::string label;
    std::vector<std::string> kind_labels; ///< with `label` before it; empty: not told of
    const Totals* totals = nullptr;
    std::uint64_t in_flight = 0;
};

bool is_told_of(std::size_t kind, const KindTotals& totals) {
    return kind <= static_cast<std::size_t>(RequestKind::write_zeroes) || totals.requests > 0 ||
           totals.all_errors() > 0;
}

/// Two samples of one name would spoil the whole text, and paths that are no UTF-8 may look alike.
std::string unique_label(std::unordered_set<std::string>& taken, std::string_view name,
                         std::string_view value) {
    std::string label = Exposition::label(name, value);
    for (unsigned i = 2; !taken.insert(label).second; ++i)
        label = Exposition::label(name, std::string(value) + " (" + std::to_string(i) + ")");
    return label;
}

Subject subject(std::string label, const Totals& totals, std::uint64_t in_flight) {
    Subject made{.label = std::move(label),
                 .kind_labels = std::vector<std::string>(server::request_kinds),
                 .totals = &totals,
                 .in_flight = in_flight};
    for (std::size_t kind = 0; kind < server::request_kinds; ++kind) {
        if (is_told_of(kind, totals.kinds[kind]))
            made.kind_labels[kind] =
                made.label + ',' + Exposition::label("kind", server::request_kind_names[kind]);
    }
    return made;
}

template <typename Report>
std::vector<Subject> subjects(const std::vector<Report>& reports, const char* label,
                              std::string Report::*name) {
    std::unordered_set<std::string> taken;
    std::vector<Subject> all;
    all.reserve(reports.size());
    for (const Report& each : reports)
        all.push_back(subject(unique_label(taken, label, each.*name), each.totals, each.in_flight));
    return all;
}

/// Calls visit(labels, totals) for what is told of.
template <typename Visit>
void for_each_kind(const std::vector<Subject>& subjects, Visit visit) {
    for (const Subject& each : subjects) {
        for (std::size_t kind = 0; kind < server::request_kinds; ++kind) {
            if (!each.kind_labels[kind].empty())
                visit(each.kind_labels[kind], each.totals->kinds[kind]);
        }
    }
}

void render_errors(Exposition& out, const std::vector<Subject>& subjects) {
    std::array<std::string, server::error_kinds> reasons;
    for (std::size_t i = 0; i < reasons.size(); ++i)
        reasons[i] = Exposition::label("reason", server::error_kind_names[i]);
    for_each_kind(subjects, [&](const std::string& labels, const KindTotals& totals) {
        for (std::size_t i = 0; i < reasons.size(); ++i)
            out.sample({labels, reasons[i]}, totals.errors[i]);
    });
}

void render_durations(Exposition& out, const std::vector<Subject>& subjects) {
    std::array<std::string, server::latency_bounds.size()> bounds;
    for (std::size_t i = 0; i < bounds.size(); ++i)
        bounds[i] = bound_text(server::latency_bounds[i]);
    for_each_kind(subjects, [&](const std::string& labels, const KindTotals& totals) {
        out.histogram(labels, bounds, totals.latency, totals.latency_sum);
    });
}

void render_requests(Exposition& out, const std::vector<Subject>& subjects,
                     const std::string& prefix, const std::string& durations_help) {
    out.family(Type::counter, prefix + "requests", "", "Requests that were answered.");
    for_each_kind(subjects, [&](const std::string& labels, const KindTotals& totals) {
        out.sample({labels}, totals.requests);
    });
    out.family(Type::counter, prefix + "request_bytes", "bytes",
               "Bytes that were read or written.");
    for_each_kind(subjects, [&](const std::string& labels, const KindTotals& totals) {
        out.sample({labels}, totals.bytes);
    });
    out.family(Type::counter, prefix + "request_errors", "",
               "Requests that were answered with an error.");
    render_errors(out, subjects);
    out.histogram_family(prefix + "request_duration_seconds", durations_help);
    render_durations(out, subjects);
    out.family(Type::gauge, prefix + "requests_in_flight", "",
               "Requests that are not answered yet.");
    for (const Subject& each : subjects)
        out.sample({each.label}, each.in_flight);
}

/// One number of each report.
template <typename Report>
struct Column {
    Type type;
    const char* name;
    const char* unit;
    const char* help;
    std::uint64_t (*value)(const Report&);
};

template <typename Report, std::size_t count>
void render_columns(Exposition& out, const std::vector<Report>& reports,
                    const std::vector<Subject>& subjects, const Column<Report> (&columns)[count]) {
    for (const Column<Report>& column : columns) {
        out.family(column.type, column.name, column.unit, column.help);
        for (std::size_t i = 0; i < reports.size(); ++i)
            out.sample({subjects[i].label}, column.value(reports[i]));
    }
}

constexpr Column<ExportReport> export_columns[] = {
    {Type::counter, "interposed_throttled_requests", "", "Requests that waited for a rate limit.",
     [](const ExportReport& it) { return it.throttled; }},
    {Type::gauge, "interposed_export_connections", "", "Clients that have chosen the export.",
     [](const ExportReport& it) { return it.connections; }},
    {Type::counter, "interposed_export_connections_opened", "",
     "Clients that have ever chosen the export.",
     [](const ExportReport& it) { return it.connections_ever; }},
    {Type::gauge, "interposed_export_size_bytes", "bytes", "Size of the export.",
     [](const ExportReport& it) { return it.size; }},
    {Type::gauge, "interposed_export_segments", "", "Segments of its table.",
     [](const ExportReport& it) { return it.segments; }},
    {Type::gauge, "interposed_export_table_generation", "",
     "Goes up when another table is swapped in.",
     [](const ExportReport& it) { return it.generation; }},
    {Type::gauge, "interposed_export_read_only", "", "1 if the export cannot be written to.",
     [](const ExportReport& it) { return std::uint64_t{it.read_only}; }},
    {Type::gauge, "interposed_export_suspended", "", "1 while requests are held back.",
     [](const ExportReport& it) { return std::uint64_t{it.suspended}; }},
    {Type::gauge, "interposed_export_draining", "",
     "1 while the last requests of an export that goes away are finished.",
     [](const ExportReport& it) { return std::uint64_t{it.draining}; }},
};

constexpr Column<DeviceReport> device_columns[] = {
    {Type::gauge, "interposed_device_size_bytes", "bytes", "Size of the device.",
     [](const DeviceReport& it) { return it.size; }},
    {Type::gauge, "interposed_device_read_only", "", "1 if the device is opened for reading only.",
     [](const DeviceReport& it) { return std::uint64_t{it.read_only}; }},
    {Type::gauge, "interposed_device_flush_failed", "",
     "1 once a flush has failed: then what was written may be lost, and every flush fails.",
     [](const DeviceReport& it) { return std::uint64_t{!it.flush_error.empty()}; }},
    {Type::counter, "interposed_device_cached_reads", "",
     "Reads that the page cache answered at once.",
     [](const DeviceReport& it) { return it.cached_reads; }},
};

constexpr Column<ServerReport> server_columns[] = {
    {Type::gauge, "interposed_connections", "", "Clients that are connected.",
     [](const ServerReport& it) { return it.connections; }},
    {Type::counter, "interposed_connections_accepted", "", "Clients that have ever connected.",
     [](const ServerReport& it) { return it.accepted; }},
    {Type::counter, "interposed_connections_turned_away", "",
     "Clients that were one too many for a limit.",
     [](const ServerReport& it) { return it.turned_away; }},
    {Type::counter, "interposed_handshake_failures", "", "Clients that left without an export.",
     [](const ServerReport& it) { return it.handshake_failures; }},
    {Type::gauge, "interposed_memory_in_use_bytes", "bytes",
     "Memory for requests and replies that is in use.",
     [](const ServerReport& it) { return it.memory_in_use; }},
    {Type::gauge, "interposed_memory_limit_bytes", "bytes",
     "Memory that requests and replies may use.",
     [](const ServerReport& it) { return it.memory_limit; }},
    {Type::counter, "interposed_log_lines_dropped", "",
     "Lines of the log that could not be written in time.",
     [](const ServerReport& it) { return it.log_lines_dropped; }},
};

void render_exports(Exposition& out, const std::vector<ExportReport>& reports) {
    const auto all = subjects(reports, "export", &ExportReport::name);
    render_requests(out, all, "interposed_", "From a request's arrival until it is answered.");
    render_columns(out, reports, all, export_columns);
}

void render_devices(Exposition& out, const std::vector<DeviceReport>& reports) {
    const auto all = subjects(reports, "device", &DeviceReport::path);
    render_requests(out, all, "interposed_device_",
                    "In the device; not of what the page cache answered at once.");
    render_columns(out, reports, all, device_columns);
    out.family(Type::gauge, "interposed_device_claim", "", "How the device is claimed; always 1.");
    for (std::size_t i = 0; i < reports.size(); ++i)
        out.sample(
            {all[i].label, reports[i].exclusive ? R"(claim="exclusive")" : R"(claim="shared")"},
            std::uint64_t{1});
}

void render_server(Exposition& out, const ServerReport& report) {
    out.family(Type::info, "interposed_build", "", "Which interposed this is.");
    out.sample({Exposition::label("version", report.version)}, std::uint64_t{1});
    out.family(Type::gauge, "interposed_uptime_seconds", "seconds", "Time since the start.");
    out.sample(report.uptime);
    for (const Column<ServerReport>& column : server_columns) {
        out.family(column.type, column.name, column.unit, column.help);
        out.sample({}, column.value(report));
    }
}

void render_process(Exposition& out, const Process& process) {
    const auto gauge = [&](const char* name, const char* unit, const char* help,
                           std::uint64_t value) {
        out.family(Type::gauge, name, unit, help);
        out.sample({}, value);
    };
    gauge("process_resident_memory_bytes", "bytes", "Memory that is in RAM.",
          process.resident_memory);
    gauge("process_virtual_memory_bytes", "bytes", "Address space.", process.virtual_memory);
    gauge("process_open_fds", "", "File descriptors.", process.open_fds);
    gauge("process_max_fds", "", "File descriptors that there may be.", process.max_fds);
    gauge("process_threads", "", "Threads.", process.threads);
    out.family(Type::counter, "process_cpu_seconds", "seconds", "CPU time, user and system.");
    out.sample(process.cpu);
    out.family(Type::gauge, "process_start_time_seconds", "seconds", "Start, since 1970.");
    out.sample(process.start_time);
}

/// So much that even long names seldom make the text move.
std::size_t expected_size(const ServerReport& report) {
    constexpr std::size_t of_one = std::size_t{20} << 10;
    return (1 + report.exports.size() + report.devices.size()) * of_one;
}

} // namespace

std::string render(const ServerReport& report, const Process& process, Dialect dialect) {
    Exposition out(dialect);
    out.reserve(expected_size(report));
    render_server(out, report);
    render_exports(out, report.exports);
    render_devices(out, report.devices);
    render_process(out, process);
    return std::move(out).finish();
}

} // namespace interposed::control
