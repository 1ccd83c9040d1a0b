#pragma once

#include <string>
#include <string_view>

namespace interposed::config {

/// `path` seen from `folder`.
std::string path_in(const std::string& folder, std::string_view path);

/// The device a segment names: "major:minor" as it is, a path made absolute. Throws
/// std::invalid_argument, also for the reserved form "scheme:...".
std::string device_name(std::string_view text, const std::string& folder);

} // namespace interposed::config
