#include "interposectl/map.hpp"

#include "interposectl/columns.hpp"
#include "interposectl/text.hpp"

#include <algorithm>
#include <map>

namespace interposed::ctl {
namespace {

constexpr std::size_t most_listed = 64;
constexpr std::size_t listed_ends = 8;
constexpr std::size_t most_ranges = 16; ///< of one device
constexpr std::size_t range_ends = 4;
constexpr const char* indent = "  ";

/// A device of the table, and which segments are on it.
struct Used {
    const MapSegment* first;
    std::vector<const MapSegment*> segments;
    std::uint64_t bytes = 0;
};

/// In the order of the table, with the label's index of each segment.
struct Devices {
    std::vector<Used> used;
    std::vector<std::size_t> of_segment;
};

Devices devices_of(const TableMap& map) {
    Devices devices;
    std::map<std::string, std::size_t> known;
    for (const MapSegment& segment : map.segments) {
        const std::string& key = segment.identity.empty() ? segment.device : segment.identity;
        const auto [found, is_new] = known.emplace(key, devices.used.size());
        if (is_new)
            devices.used.push_back({.first = &segment, .segments = {}});
        Used& used = devices.used[found->second];
        used.segments.push_back(&segment);
        used.bytes += segment.length;
        devices.of_segment.push_back(found->second);
    }
    return devices;
}

/// Calls `show(i)` for all, or for both ends with a line that counts the others between.
template <typename Show>
void show_ends(Columns& columns, std::size_t count, std::size_t most, std::size_t ends,
               const char* noun, Show show) {
    for (std::size_t i = 0; i < count; ++i) {
        if (count > most && i == ends) {
            const std::size_t hidden = count - 2 * ends;
            columns.add_line("... " + std::to_string(hidden) + " more " + noun + "s ...");
            i += hidden;
        }
        show(i);
    }
}

std::string segment_list(const TableMap& map, const Devices& devices) {
    Columns columns({{""},
                     {"START", Align::right},
                     {"LENGTH", Align::right},
                     {"DEVICE"},
                     {"OFFSET", Align::right}},
                    indent);
    show_ends(
        columns, map.segments.size(), most_listed, listed_ends, "segment", [&](std::size_t i) {
            const MapSegment& each = map.segments[i];
            columns.add({device_label(devices.of_segment[i]), size_text(each.start),
                         size_text(each.length), printable(each.device), size_text(each.offset)});
        });
    return columns.text();
}

/// What of the device is used, in its own order, and where in the export that is.
std::string device_ranges(const Used& used, std::size_t index) {
    std::vector<const MapSegment*> ranges = used.segments;
    std::stable_sort(ranges.begin(), ranges.end(), [](const MapSegment* a, const MapSegment* b) {
        return a->offset < b->offset;
    });
    std::string text = indent + device_label(index) + "  " + printable(used.first->device);
    if (!used.first->identity.empty())
        text += " (" + printable(used.first->identity) + ")";
    text += ": " + human_size(used.bytes) + " in " + counted(ranges.size(), "segment") + "\n";
    Columns columns({{"FROM", Align::right}, {"TO", Align::right}, {"IN THE EXPORT", Align::right}},
                    "     ");
    show_ends(columns, ranges.size(), most_ranges, range_ends, "range", [&](std::size_t i) {
        columns.add({size_text(ranges[i]->offset), size_text(ranges[i]->offset + ranges[i]->length),
                     size_text(ranges[i]->start)});
    });
    return text + columns.text();
}

std::string title(const TableMap& map, const Devices& devices) {
    return export_name(map.name) + ": " + map.slot + " table, " + size_text(map.size) + ", " +
           counted(map.segments.size(), "segment") + " on " +
           counted(devices.used.size(), "device") + "\n";
}

} // namespace

std::string device_label(std::size_t index) {
    std::string label;
    for (std::size_t left = index + 1; left > 0; left = (left - 1) / 26)
        label.insert(label.begin(), static_cast<char>('A' + (left - 1) % 26));
    return label;
}

TableMap read_table(const Json& result) {
    const Fields table(result, "result");
    TableMap map{.name = table.text("name"),
                 .slot = table.text("slot"),
                 .size = table.number("size"),
                 .segments = {}};
    for_each_object(table.list("segments"), "segments", [&](const Fields& each) {
        map.segments.push_back({.start = each.number("start"),
                                .length = each.number("length"),
                                .kind = each.text("kind"),
                                .device = each.text("device"),
                                .identity = each.text("identity"),
                                .offset = each.number("offset")});
    });
    return map;
}

std::string draw_map(const TableMap& map, std::size_t width) {
    const Devices devices = devices_of(map);
    std::vector<std::string> labels;
    for (const std::size_t index : devices.of_segment)
        labels.push_back(device_label(index));
    std::string text = title(map, devices) + "\n";
    text += draw_bar(map, labels, width);
    text += "\n" + segment_list(map, devices);
    for (std::size_t i = 0; i < devices.used.size(); ++i)
        text += "\n" + device_ranges(devices.used[i], i);
    return text;
}

} // namespace interposed::ctl
