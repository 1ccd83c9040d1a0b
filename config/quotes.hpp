#pragma once

#include <string>
#include <string_view>

namespace interposed::config {

/// The text safe to print: control bytes, quotes and backslashes are escaped as in JSON.
std::string escaped(std::string_view text);

/// The text in double quotes, escaped, for a message: what is too long for one ends in "...".
std::string in_quotes(std::string_view text);

} // namespace interposed::config
