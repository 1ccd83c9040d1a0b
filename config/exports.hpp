#pragma once

#include "config/reader.hpp"

#include <string>
#include <vector>

namespace interposed::config {

/// One export. `folder` is for relative paths.
Export read_export(Reader& reader, const Node& at, const std::string& folder);

/// The value of "exports". `folder` is for relative paths.
std::vector<Export> read_exports(Reader& reader, const Node& at, const std::string& folder);

} // namespace interposed::config
