#pragma once

#include "config/reader.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace interposed::config {

/// A table, laid out as far as that is possible without looking at a device: from whichever of
/// "table" and "dm_table" an object has, `folder` being for relative paths;
std::vector<Segment> read_table(Reader& reader, const Fields& fields, const Node& at,
                                const std::string& folder);

/// from an array as either of the two is;
std::vector<Segment> read_bare_table(Reader& reader, const Node& at, const std::string& folder);

/// and from plain text, one of dmsetup's lines on each line.
std::vector<Segment> read_plain_table(Reader& reader, std::string_view text,
                                      const std::string& folder);

} // namespace interposed::config
