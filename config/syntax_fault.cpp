#include "config/syntax_fault.hpp"

#include "config/quotes.hpp"

#include <algorithm>

namespace interposed::config {
namespace {

constexpr std::size_t npos = std::string_view::npos;

bool is_digit(char c) {
    return '0' <= c && c <= '9';
}

bool is_word(char c) {
    return is_digit(c) || ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || c == '_' ||
           c == '.' || c == '+' || c == '-';
}

std::string_view word_at(std::string_view text) {
    std::size_t length = 0;
    while (length < text.size() && is_word(text[length]))
        ++length;
    return text.substr(0, length);
}

/// The grammar of JSON's numbers; what the library refuses of them is too large for a double.
bool is_number(std::string_view word) {
    const auto digits = [&word] {
        const std::size_t count = std::min(word.find_first_not_of("0123456789"), word.size());
        word.remove_prefix(count);
        return count;
    };
    if (word.starts_with('-'))
        word.remove_prefix(1);
    const bool leading_zero = word.starts_with('0');
    const std::size_t whole = digits();
    if (whole == 0 || (leading_zero && whole > 1))
        return false;
    if (word.starts_with('.')) {
        word.remove_prefix(1);
        if (digits() == 0)
            return false;
    }
    if (word.starts_with('e') || word.starts_with('E')) {
        word.remove_prefix(1);
        if (word.starts_with('+') || word.starts_with('-'))
            word.remove_prefix(1);
        return digits() > 0 && word.empty();
    }
    return word.empty();
}

constexpr std::string_view hexadecimal = "0123456789abcdefABCDEF";

/// One escape in a string: how long it is, or what is wrong with it.
struct Escape {
    std::size_t length = 0;
    const char* fault = nullptr;
};

/// \uD800 to \uDBFF and \uDC00 to \uDFFF mean something only as a pair.
Escape read_surrogate(std::string_view text) {
    const auto is_half = [&text](std::size_t at, std::string_view third) {
        return text.size() > at + 3 && text[at] == '\\' && text[at + 1] == 'u' &&
               (text[at + 2] == 'd' || text[at + 2] == 'D') && third.find(text[at + 3]) != npos;
    };
    constexpr std::string_view high = "89abAB";
    constexpr std::string_view low = "cdefCDEF";
    if (!is_half(0, high) && !is_half(0, low))
        return {6, nullptr};
    if (is_half(0, high) && is_half(6, low))
        return {6 + 2, nullptr}; // what is behind the second \u is looked at as plain text
    return {0, "want the two halves of a \\u pair in a string, found one"};
}

/// `text` begins with the backslash.
Escape read_escape(std::string_view text) {
    if (text.size() < 2 || std::string_view("\"\\/bfnrtu").find(text[1]) == npos)
        return {0, "want one of \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\u in a string, found another"};
    if (text[1] != 'u')
        return {2, nullptr};
    const std::string_view digits = text.substr(2, 4);
    if (digits.size() < 4 || digits.find_first_not_of(hexadecimal) != npos)
        return {0, "want four hexadecimal digits behind \\u in a string"};
    return read_surrogate(text);
}

/// Moves to the fault in a string and says what it is; behind the string if there is none.
std::string string_fault(Cursor& cursor) {
    const Cursor start = cursor;
    cursor.step();
    while (cursor.here() != '"') {
        if (cursor.at_end() || cursor.here() == '\n') {
            cursor = start;
            return "this string has no closing quote on its line";
        }
        if (static_cast<unsigned char>(cursor.here()) < 0x20)
            return "want \\u00" + hex_byte(cursor.here()) + " in a string, found the bare byte";
        Escape escape{1, nullptr};
        if (cursor.here() == '\\')
            escape = read_escape(cursor.rest());
        if (escape.fault != nullptr)
            return escape.fault;
        cursor.advance_to(cursor.offset() + escape.length);
    }
    cursor.step();
    return {};
}

std::string found_at(const Cursor& cursor) {
    if (cursor.at_end())
        return "the end of the text";
    const std::string_view word = word_at(cursor.rest());
    if (word.empty())
        return in_quotes(
            cursor.rest().substr(0, std::max<std::size_t>(1, character_length(cursor.rest()))));
    return in_quotes(word);
}

/// What may follow, once a comma or colon that is in its place has been passed.
std::string wanted_next(Cursor& cursor, Behind behind) {
    const auto passed = [&cursor](char mark) {
        if (cursor.here() != mark)
            return false;
        cursor.step();
        cursor.skip_blanks();
        return true;
    };
    switch (behind) {
    case Behind::nothing:
        return "a value";
    case Behind::key:
        return passed(':') ? "a value" : "\":\" behind the key";
    case Behind::opened_object:
        return "a key in double quotes or \"}\"";
    case Behind::opened_array:
        return "a value or \"]\"";
    case Behind::object_member:
        return passed(',') ? "a key in double quotes behind the comma" : "\",\" or \"}\"";
    case Behind::array_element:
        return passed(',') ? "a value behind the comma" : "\",\" or \"]\"";
    case Behind::all:
        return "the end of the text";
    }
    return "a value";
}

} // namespace

SyntaxFault explain_syntax(Cursor cursor, Behind behind) {
    // "0x10" and "010" are a number and then something else
    const bool glued = is_digit(cursor.before()) && is_word(cursor.here());
    cursor.skip_blanks();
    const std::string wanted = wanted_next(cursor, behind);
    if (cursor.rest().starts_with("/*"))
        return {cursor.position(), "this comment has no end"};
    if (cursor.here() == '"') {
        const Position start = cursor.position();
        if (const std::string why = string_fault(cursor); !why.empty())
            return {cursor.position(), why};
        return {start, "want " + wanted + ", found a string"};
    }
    const std::string_view word = word_at(cursor.rest());
    if (wanted.starts_with("a value") && is_number(word))
        return {cursor.position(), "want a smaller number, found " + in_quotes(word)};
    const char* const glue_hint = glued ? " (a number is plain decimal digits)" : "";
    return {cursor.position(), "want " + wanted + ", found " + found_at(cursor) + glue_hint};
}

} // namespace interposed::config
