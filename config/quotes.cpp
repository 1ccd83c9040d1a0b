#include "config/quotes.hpp"

#include "config/text.hpp"

namespace interposed::config {
namespace {

constexpr std::size_t longest_quote = 200; // bytes; long enough for most paths

/// The length of the text's beginning that is shown; never cuts a character of UTF-8 in two.
std::size_t shown_length(std::string_view text) {
    if (text.size() <= longest_quote)
        return text.size();
    std::size_t end = longest_quote;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
        --end;
    return end;
}

void append_escaped(std::string& out, char c) {
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (c == '\n') {
        out += "\\n";
    } else if (c == '\t') {
        out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
        out += "\\u00" + hex_byte(c);
    } else {
        out += c;
    }
}

} // namespace

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text)
        append_escaped(out, c);
    return out;
}

std::string in_quotes(std::string_view text) {
    const std::size_t shown = shown_length(text);
    std::string out = "\"";
    out += escaped(text.substr(0, shown));
    out += shown < text.size() ? "...\"" : "\"";
    return out;
}

} // namespace interposed::config
