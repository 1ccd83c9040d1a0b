#pragma once

#include "config/reader.hpp"

#include <string>

namespace interposed::config {

/// The keys of the top level that are about running the server and not about what it serves:
/// "control", "state_dir", "metrics", "run_as" and "log". The listeners must have been read: none
/// of them can be where these are. `folder` is for relative paths.
void read_services(Reader& reader, const Fields& fields, const std::string& folder,
                   Configuration& into);

} // namespace interposed::config
