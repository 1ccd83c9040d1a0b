#pragma once

#include "config/text.hpp"

#include <string>

namespace interposed::config {

/// What the reader of JSON has just behind it.
enum class Behind { nothing, key, opened_object, opened_array, object_member, array_element, all };

struct SyntaxFault {
    Position at;
    std::string message;
};

/// Says why the text is no JSON, in words for the one who wrote it. `cursor` stands behind the
/// last token that was right.
SyntaxFault explain_syntax(Cursor cursor, Behind behind);

} // namespace interposed::config
