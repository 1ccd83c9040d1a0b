#include "interposectl/columns.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/render.hpp"
#include "interposectl/text.hpp"

namespace interposed::ctl {
namespace {

constexpr const char* indent = "    ";

std::string line(const std::string& text) {
    return indent + text + "\n";
}

const char* access_text(const Fields& each) {
    return each.flag("read_only") ? "read-only" : "read-write";
}

std::string connections_text(const Fields& each) {
    const auto most = each.number_or_null("max_connections");
    return std::to_string(each.number("connections")) +
           (most ? " of " + std::to_string(*most) : "");
}

std::string device_line(const Fields& device) {
    const bool block = device.text("kind") == "block";
    std::string text = "device " + printable(device.text("device")) + ": " +
                       (block ? "block device " : "regular file ") +
                       printable(device.text("identity")) + ", size " +
                       size_text(device.number("size")) + ", " + device.text("cache") + " I/O, " +
                       (device.text("access") == "read_only" ? "read-only" : "read-write");
    if (const auto error = device.text_or_null("flush_error"))
        text += ", a flush has FAILED: " + harmless(*error);
    return line(text);
}

std::string device_lines(const Fields& of, const std::string& more_indent) {
    std::string text;
    for_each_object(of.list("devices"), "devices",
                    [&](const Fields& device) { text += more_indent + device_line(device); });
    return text;
}

/// One rule of "allow", which is an address or an object.
std::string rule_text(const Json& rule, const std::string& where) {
    if (rule.is_string())
        return printable(rule.get<std::string>());
    const Fields fields(rule, where);
    std::string text;
    for (const auto& [key, value] : rule.items())
        if (key != "access")
            text += harmless(key) + " " + printable(fields.text(key.c_str())) + ", ";
    return (text.empty() ? "anybody, " : text) +
           (fields.text("access") == "read_only" ? "read-only" : "read-write");
}

std::string clients_line(const Fields& each) {
    const Json* const allow = each.has("allow") ? each.list_or_null("allow") : nullptr;
    if (allow == nullptr)
        return {};
    std::string text;
    for (std::size_t i = 0; i < allow->size(); ++i)
        text += (i > 0 ? "; " : "") +
                rule_text((*allow)[i], "allow[" + std::to_string(i) + "]");
    return line("clients: " + text);
}

std::string rate_text(const Fields& qos, const std::string& prefix) {
    const auto with_burst = [](std::string text, std::uint64_t burst, const std::string& most) {
        return burst == 0 ? text : text + " (at once " + most + ")";
    };
    const std::uint64_t iops = qos.number((prefix + "iops").c_str());
    const std::uint64_t iops_burst = qos.number((prefix + "iops_burst").c_str());
    const std::uint64_t bandwidth = qos.number((prefix + "bandwidth").c_str());
    const std::uint64_t bandwidth_burst = qos.number((prefix + "bandwidth_burst").c_str());
    std::string text;
    if (iops > 0)
        text = with_burst(std::to_string(iops) + " requests/s", iops_burst,
                          std::to_string(iops_burst));
    if (bandwidth > 0)
        text +=
            (text.empty() ? "" : ", ") +
            with_burst(human_size(bandwidth) + "/s", bandwidth_burst, human_size(bandwidth_burst));
    return text;
}

/// Whether a restart would forget how the export is now.
std::string origin_line(const Fields& each) {
    const bool from_file = each.text("origin") == "configuration";
    const bool changed = each.flag("changed");
    std::string text = std::string("made: ") + (from_file ? "by the configuration" : "at run time");
    if (from_file && changed)
        text += ", changed since";
    if (!from_file || changed)
        text += each.flag("recorded") ? ", recorded" : ", NOT recorded: a restart forgets it";
    return line(text);
}

std::string export_text(const Fields& each) {
    const std::string state = each.text("state");
    std::string text = export_name(each.text("name")) + ": " + harmless(state);
    if (const auto why = each.text_or_null("disabled_because"))
        text += " because " + harmless(*why);
    text += ", size " + size_text(each.number("size")) + ", " + access_text(each) + ", claim " +
            harmless(each.text("claim")) + "\n";
    if (const std::string description = each.text("description"); !description.empty())
        text += line("description: " + harmless(description));
    text += line("table: generation " + std::to_string(each.number("generation")) + ", " +
                 counted(each.number("segments"), "segment"));
    text += device_lines(each, "");
    if (const auto inactive = each.object_or_null("inactive")) {
        text += line("loaded table: size " + size_text(inactive->number("size")) + ", " +
                     counted(inactive->number("segments"), "segment") + "; `resume` swaps it in");
        text += device_lines(*inactive, indent);
    }
    text += line("blocks: at least " + std::to_string(each.number("minimum_block")) +
                 ", preferred " + std::to_string(each.number("preferred_block")) + ", cache " +
                 harmless(each.text("cache")));
    text += clients_line(each);
    text += line("connections: " + connections_text(each));
    text += line("limits: " + qos_text(each.object("qos")));
    if (each.flag("tracing"))
        text += line("tracing: its requests are logged");
    return text + origin_line(each);
}

} // namespace

std::string qos_text(const Fields& qos) {
    const std::string all = rate_text(qos, "");
    const std::string each = rate_text(qos, "client_");
    if (all.empty() && each.empty())
        return "none";
    if (each.empty())
        return all;
    return all + (all.empty() ? "" : "; ") + "each client " + each;
}

std::string exports_table(const Json& result) {
    Columns columns({{"EXPORT"},
                     {"STATE"},
                     {"SIZE", Align::right},
                     {"ACCESS"},
                     {"CLAIM"},
                     {"SEGMENTS", Align::right},
                     {"CONNECTIONS", Align::right},
                     {"DESCRIPTION"}});
    for_each_object(Fields(result, "result").list("exports"), "exports", [&](const Fields& each) {
        columns.add({export_name(each.text("name")), harmless(each.text("state")),
                     human_size(each.number("size")), access_text(each),
                     harmless(each.text("claim")), std::to_string(each.number("segments")),
                     connections_text(each), harmless(each.text("description"))});
    });
    return columns.text();
}

std::string exports_text(const Json& result) {
    std::string text;
    for_each_object(Fields(result, "result").list("exports"), "exports", [&](const Fields& each) {
        text.append(text.empty() ? "" : "\n").append(export_text(each));
    });
    return text;
}

} // namespace interposed::ctl
