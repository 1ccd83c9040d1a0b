#pragma once

#include "config/reader.hpp"

#include <string>
#include <vector>

namespace interposed::config {

/// The value of "exports". `folder` is for relative paths.
std::vector<Export> read_exports(Reader& reader, const Node& at, const std::string& folder);

} // namespace interposed::config
