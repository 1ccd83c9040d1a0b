#pragma once

#include "config/reader.hpp"

#include <string>
#include <vector>

namespace interposed::config {

/// The value of "listen": one listener or an array of them. `folder` is for relative paths.
std::vector<Listener> read_listeners(Reader& reader, const Node& at, const std::string& folder);

} // namespace interposed::config
