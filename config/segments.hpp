#pragma once

#include "config/reader.hpp"

#include <string>
#include <vector>

namespace interposed::config {

/// An export's table from whichever of "table" and "dm_table" it has, laid out as far as that
/// is possible without looking at a device. `folder` is for relative paths.
std::vector<Segment> read_table(Reader& reader, Fields& fields, const Node& at,
                                const std::string& folder);

} // namespace interposed::config
