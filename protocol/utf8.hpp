#pragma once

#include <cstddef>
#include <string_view>

namespace interposed::protocol {

/// How many bytes the well-formed UTF-8 sequence at the front takes; 0: it is not well-formed.
/// The text is not empty.
std::size_t utf8_sequence(std::string_view text);

} // namespace interposed::protocol
