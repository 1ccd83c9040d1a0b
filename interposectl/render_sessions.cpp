#include "interposectl/columns.hpp"
#include "interposectl/render.hpp"
#include "interposectl/text.hpp"

#include <numeric>

namespace interposed::ctl {
namespace {

/// The bound that `share` of all requests were quicker than, as far as the buckets tell.
std::string quantile_text(const std::vector<std::uint64_t>& buckets, const Json& bounds,
                          double share) {
    const auto all = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
    if (all == 0)
        return "-";
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < buckets.size() && i < bounds.size(); ++i) {
        below += buckets[i];
        if (static_cast<double>(below) >= share * static_cast<double>(all))
            return "<" + duration_text(bounds[i].get<double>());
    }
    return bounds.empty() ? "-" : ">" + duration_text(bounds.back().get<double>());
}

std::string mean_text(const Fields& kind, const std::vector<std::uint64_t>& buckets) {
    const auto timed = std::accumulate(buckets.begin(), buckets.end(), std::uint64_t{0});
    if (timed == 0)
        return "-";
    return duration_text(kind.real("latency_s_sum") / static_cast<double>(timed));
}

/// A row for each kind of request that there were any of.
void add_kinds(Columns& columns, const Fields& of, const std::string& name, const Json& bounds) {
    bool any = false;
    for (const auto& [kind_name, members] : of.members("kinds").items()) {
        const Fields kind(members, "kinds." + kind_name);
        if (kind.number("requests") == 0)
            continue;
        const std::vector<std::uint64_t> buckets = kind.numbers("latency");
        columns.add({any ? "" : name, harmless(kind_name), std::to_string(kind.number("requests")),
                     human_size(kind.number("bytes")), std::to_string(kind.number("errors")),
                     mean_text(kind, buckets), quantile_text(buckets, bounds, 0.5),
                     quantile_text(buckets, bounds, 0.99)});
        any = true;
    }
    if (!any)
        columns.add({name, "none", "0", "", "", "", "", ""});
}

Columns kinds_columns(const char* what) {
    return Columns({{what},
                    {"KIND"},
                    {"REQUESTS", Align::right},
                    {"BYTES", Align::right},
                    {"ERRORS", Align::right},
                    {"MEAN", Align::right},
                    {"HALF", Align::right},
                    {"99 %", Align::right}});
}

std::string kinds_table(const Fields& result, const char* list, const char* heading,
                        const char* name) {
    Columns columns = kinds_columns(heading);
    const Json& bounds = result.list("latency_bounds_s");
    for_each_object(result.list(list), list, [&](const Fields& each) {
        add_kinds(columns, each, export_name(each.text(name)), bounds);
    });
    return columns.text();
}

/// Without the cipher, which is in the JSON.
std::string tls_version(const Fields& session) {
    const std::string tls = session.text_or_null("tls").value_or("-");
    return harmless(tls.substr(0, tls.find(' ')));
}

/// As far as it depends on the client and the export; nothing in the handshake.
const char* access_text(const Fields& session) {
    if (!session.has("read_only") || !session.text_or_null("export"))
        return "-";
    return session.flag("read_only") ? "read-only" : "read-write";
}

} // namespace

std::string sessions_table(const Json& result) {
    Columns columns({{"SESSION", Align::right},
                     {"EXPORT"},
                     {"ACCESS"},
                     {"CLIENT"},
                     {"SINCE"},
                     {"REPLIES"},
                     {"TLS"},
                     {"REQUESTS", Align::right},
                     {"ERRORS", Align::right},
                     {"READ", Align::right},
                     {"WRITTEN", Align::right},
                     {"IN FLIGHT", Align::right},
                     {"TRACED"}});
    for_each_object(Fields(result, "result").list("sessions"), "sessions", [&](const Fields& each) {
        const auto name = each.text_or_null("export");
        columns.add(
            {std::to_string(each.number("session")), name ? export_name(*name) : "(handshake)",
             access_text(each), harmless(each.text("client")), time_text(each.real("since")),
             harmless(each.text_or_null("framing").value_or("-")), tls_version(each),
             std::to_string(each.number("requests")), std::to_string(each.number("errors")),
             human_size(each.number("bytes_read")), human_size(each.number("bytes_written")),
             std::to_string(each.number("in_flight")), each.flag("tracing") ? "yes" : "no"});
    });
    return columns.text();
}

std::string attached_table(const Json& result) {
    Columns columns({{"EXPORT"},
                     {"DEVICE"},
                     {"STATE"},
                     {"SINCE"},
                     {"CONNECTIONS", Align::right},
                     {"BLOCK", Align::right},
                     {"SIZE", Align::right},
                     {"IDENTIFIER"}});
    std::string reasons;
    const Json& all = Fields(result, "result").list("attachments");
    for_each_object(all, "attachments", [&](const Fields& each) {
        const bool began = each.has("since");
        columns.add({export_name(each.text("export")), printable(each.text("device")),
                     harmless(each.text("state")), began ? time_text(each.real("since")) : "-",
                     std::to_string(each.number("connections")),
                     std::to_string(each.number("block_size")), human_size(each.number("size")),
                     harmless(each.text("identifier"))});
        if (each.has("why"))
            reasons += export_name(each.text("export")) + ": " + harmless(each.text("why")) + "\n";
    });
    return columns.text() + reasons;
}

std::string statistics_text(const Json& result) {
    const Fields all(result, "result");
    const Fields server = all.object("server");
    std::string text = "up " + duration_text(all.real("uptime_s")) + ", " +
                       counted(server.number("connections"), "connection") + "; since the start " +
                       std::to_string(server.number("accepted")) + " accepted, " +
                       std::to_string(server.number("turned_away")) + " turned away, " +
                       std::to_string(server.number("handshake_failures")) +
                       " gone in the handshake\n";
    text += "\n" + kinds_table(all, "exports", "EXPORT", "name");
    text += "\n" + kinds_table(all, "devices", "DEVICE", "device");
    return text;
}

} // namespace interposed::ctl
