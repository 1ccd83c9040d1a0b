#pragma once

#include "config/reader.hpp"

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::config {

/// The kinds of segment there are, by the names that dm gives its targets.
inline constexpr std::array<std::string_view, 1> segment_kinds = {"linear"};

/// Segments, and of each whether a fault in it has been reported.
struct Table {
    std::vector<Segment> segments;
    std::vector<bool> faulty;
};

/// The value of "dm_table": an array of lines, or one string of several lines. Empty lines and
/// those that begin with # are passed over, as dmsetup does.
Table read_dm_table(Reader& reader, const Node& at, const std::string& folder);

/// The same from a text of its own, whose faults have the lines of the text.
Table read_dm_text(Reader& reader, std::string_view text, const std::string& folder);

} // namespace interposed::config
