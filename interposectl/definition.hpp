#pragma once

#include "interposectl/json.hpp"

#include <string>
#include <string_view>

namespace interposed::ctl {

/// The params that carry the text of a file, so that the server's faults name its lines:
/// "definition", "file" and "folder". "-" is standard input. Throws LocalFailure where it cannot
/// be read, and Refused with the place where it is no text.
Json read_definition(const std::string& file);

/// Whether the text is JSON rather than lines of dmsetup: by its first character that is no
/// blank and in no comment.
bool looks_like_json(std::string_view text);

} // namespace interposed::ctl
