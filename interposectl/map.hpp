#pragma once

#include "interposectl/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// A table as a picture for people.
namespace interposed::ctl {

struct MapSegment {
    std::uint64_t start = 0;
    std::uint64_t length = 0;
    std::string kind;
    std::string device;
    std::string identity; ///< what tells devices apart
    std::uint64_t offset = 0;
};

struct TableMap {
    std::string name; ///< of the export
    std::string slot; ///< "live" or "inactive"
    std::uint64_t size = 0;
    std::vector<MapSegment> segments; ///< in order, without gaps
};

/// From the result of `export.table`.
TableMap read_table(const Json& result);

/// The whole picture: a bar with a box for each segment, as long as the segment is large, then the
/// segments in numbers, then what of each device is where. A table of many segments shows its
/// beginning and its end. At most `width` columns for the bar.
std::string draw_map(const TableMap& map, std::size_t width);

/// The bar alone, three lines and the ruler above them; `labels` are of the devices, by segment.
std::string draw_bar(const TableMap& map, const std::vector<std::string>& labels,
                     std::size_t width);

/// "A", "B", ... "Z", "AA", ...
std::string device_label(std::size_t index);

} // namespace interposed::ctl
