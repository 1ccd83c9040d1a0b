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

std::string clients_text(const config::Export& source) {
    if (!source.allow)
        return "all";
    std::string text;
    for (const config::AddressRange& range : *source.allow)
        text.append(text.empty() ? "" : ", ").append(config::to_string(range));
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
    text += indent + ("clients: " + clients_text(source)) +
            (source.requires_tls ? ", over TLS only\n" : "\n");
    for (const ResolvedDevice& device : from.devices)
        text += indent + ("device " + device_text(device)) + "\n";
    text += indent + ("segments: " + std::to_string(from.segments.size())) + "\n";
    return text + table_text(from);
}

} // namespace

std::string describe(const Resolved& resolved) {
    std::string text;
    for (const ResolvedExport& one : resolved.exports)
        text.append(text.empty() ? "" : "\n").append(export_text(one));
    return text;
}

} // namespace interposed::server
