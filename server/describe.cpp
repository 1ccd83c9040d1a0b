#include "config/quotes.hpp"
#include "config/sizes.hpp"
#include "server/resolve.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace interposed::server {
namespace {

using config::escaped;
using config::in_quotes;
using config::size_text;

constexpr std::size_t most_shown = 64;
constexpr std::size_t shown_ends = 8;
constexpr const char* indent = "    ";

/// A name, and the number that was found for it.
template <typename Id>
std::string account_text(const config::Account& account, Id id) {
    const std::string number = std::to_string(id);
    return account.name == number ? number : in_quotes(account.name) + " (" + number + ")";
}

std::string rule_text(const AccessList::Rule& rule, bool read_only) {
    const config::AccessRule& source = rule.source;
    std::string text;
    const auto add = [&text](const char* what, const std::string& value) {
        text.append(text.empty() ? "" : ", ").append(what).append(value);
    };
    if (source.address)
        add("address ", config::to_string(*source.address));
    if (source.unix_socket)
        add("any client of a Unix socket", "");
    if (source.user)
        add("user ", account_text(*source.user, rule.user.value_or(0)));
    if (source.group)
        add("group ", account_text(*source.group, rule.group.value_or(0)));
    if (source.tls_subject)
        add("TLS subject ", in_quotes(config::to_string(*source.tls_subject)));
    if (source.tls_common_name)
        add("TLS common name ", in_quotes(*source.tls_common_name));
    if (source.tls_san)
        add("TLS alternative name ", in_quotes(config::to_string(*source.tls_san)));
    if (source.psk)
        add("PSK identity ", in_quotes(*source.psk));
    const bool writes = source.access == config::Access::read_write && !read_only;
    return (text.empty() ? "anybody" : text) + (writes ? ": read-write" : ": read-only");
}

/// A line for each rule, of an export, which may be read-only for everybody, or of a listener.
std::string clients_text(const AccessPointer& access, bool read_only) {
    if (!access)
        return indent + std::string("clients: all\n");
    std::string text = indent + std::string("clients:\n");
    for (const AccessList::Rule& rule : access->rules())
        text += indent + (indent + rule_text(rule, read_only)) + "\n";
    return text;
}

std::string device_text(const ResolvedDevice& device) {
    const bool block = device.info.identity.kind == devices::DeviceKind::block_device;
    std::string text = escaped(device.info.path) + ": ";
    text += (block ? "block device " : "regular file ") + to_string(device.info.identity);
    text += ", size " + size_text(device.info.size);
    if (block)
        text += ", logical block size " + std::to_string(device.info.logical_block_size);
    return text + ", " + devices::to_string(device.cache) + " I/O";
}

using Columns = std::array<std::string, 4>;

Columns columns_of(const ResolvedExport& from, const ResolvedSegment& segment) {
    return {size_text(segment.where.offset), size_text(segment.where.length),
            escaped(from.devices[segment.device].info.path), size_text(segment.device_offset)};
}

std::string line_of(const Columns& columns, std::span<const std::size_t> widths) {
    std::string line = indent;
    for (std::size_t i = 0; i + 1 < columns.size(); ++i)
        line += columns[i] + std::string(widths[i] - columns[i].size() + 2, ' ');
    return line + columns.back() + "\n";
}

std::string table_text(const ResolvedExport& from) {
    const std::size_t count = from.segments.size();
    const std::size_t ends = count > most_shown ? shown_ends : count;
    std::vector<Columns> lines = {{"start", "length", "device", "offset"}};
    for (std::size_t i = 0; i < count; ++i)
        if (i < ends || i >= count - ends)
            lines.push_back(columns_of(from, from.segments[i]));
    std::array<std::size_t, 4> widths{};
    for (const Columns& line : lines)
        for (std::size_t i = 0; i < widths.size(); ++i)
            widths[i] = std::max(widths[i], line[i].size());
    std::string text;
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (ends < count && i == ends + 1)
            text += indent + ("... " + std::to_string(count - 2 * ends)) + " more segments ...\n";
        text += line_of(lines[i], widths);
    }
    return text;
}

std::string export_text(const ResolvedExport& from) {
    const config::Export& source = *from.source;
    const std::string subject = "export \"" + escaped(source.name) + "\": ";
    if (!from.disabled_because.empty())
        return subject + "disabled: " + from.disabled_because + "\n";
    std::string text = subject + "size " + size_text(from.size) + ", claim " +
                       to_string(source.claim) + ", " +
                       (source.read_only ? "read-only" : "read-write") + "\n";
    if (!source.description.empty())
        text += indent + ("description: " + escaped(source.description)) + "\n";
    if (source.requires_tls)
        text += indent + std::string("over TLS only\n");
    text += clients_text(from.access, source.read_only);
    for (const ResolvedDevice& device : from.devices)
        text += indent + ("device " + device_text(device)) + "\n";
    text += indent + ("segments: " + std::to_string(from.segments.size())) + "\n";
    return text + table_text(from);
}

} // namespace

std::string describe(const Resolved& resolved) {
    if (resolved.exports.empty())
        return "no exports\n";
    std::string text;
    for (const ResolvedListener& one : resolved.listeners)
        if (one.access)
            text += "listener " + escaped(to_string(*one.source)) + ":\n" +
                    clients_text(one.access, false);
    for (const ResolvedExport& one : resolved.exports)
        text.append(text.empty() ? "" : "\n").append(export_text(one));
    return text;
}

} // namespace interposed::server
