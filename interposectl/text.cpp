#include "interposectl/text.hpp"

#include "config/quotes.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace interposed::ctl {
namespace {

/// The code of a character of UTF-8 that is known to be well-formed.
std::uint32_t code_of(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character.front());
    if (character.size() == 1)
        return lead;
    std::uint32_t code = lead & (0x7FU >> character.size());
    for (const char c : character.substr(1))
        code = code << 6U | (static_cast<unsigned char>(c) & 0x3FU);
    return code;
}

/// Terminals obey the first two ranges; the others reorder or break the line they stand in.
bool is_hidden(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x061C || code == 0x200E ||
           code == 0x200F || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xFEFF;
}

std::string escape_of(std::uint32_t code) {
    std::array<char, 16> escape{};
    std::snprintf(escape.data(), escape.size(), "\\u%04x", code);
    return escape.data();
}

bool begins_character(char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
}

std::string formatted_time(double unix_seconds, const char* format) {
    // What no calendar can say would be undefined to convert.
    if (!(std::abs(unix_seconds) < 1e11))
        return "?";
    const auto seconds = static_cast<std::time_t>(unix_seconds);
    std::tm local{};
    std::array<char, 32> text{};
    if (::localtime_r(&seconds, &local) == nullptr ||
        std::strftime(text.data(), text.size(), format, &local) == 0)
        return "?";
    return text.data();
}

} // namespace

std::string harmless(std::string_view text, bool keep_lines) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = config::character_length(text);
        const std::string_view next = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(next.size());
        if (length == 0)
            out += "\\x" + config::hex_byte(next.front());
        else if (is_hidden(code_of(next)) && !(keep_lines && next == "\n"))
            out += escape_of(code_of(next));
        else
            out += next;
    }
    return out;
}

std::string printable(std::string_view name) {
    return harmless(config::escaped(name));
}

std::string export_name(std::string_view name) {
    return name.empty() ? "\"\"" : printable(name);
}

std::size_t width_of(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), begins_character));
}

std::string_view clipped(std::string_view text, std::size_t width) {
    std::size_t end = 0;
    for (std::size_t shown = 0; end < text.size(); ++end)
        if (begins_character(text[end]) && ++shown > width)
            break;
    return text.substr(0, end);
}

std::string counted(std::uint64_t count, const char* noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string duration_text(double seconds) {
    if (!(seconds >= 0) || seconds > 1e12)
        return "?";
    if (seconds < 1e-3)
        return fixed(seconds * 1e6, seconds < 1e-5 ? 1 : 0) + " us";
    if (seconds < 1)
        return fixed(seconds * 1e3, seconds < 0.1 ? 1 : 0) + " ms";
    if (seconds < 60)
        return fixed(seconds, 1) + " s";
    const auto minutes = static_cast<std::uint64_t>(seconds / 60);
    if (minutes < 60)
        return std::to_string(minutes) + " min";
    const std::uint64_t hours = minutes / 60;
    if (hours < 48)
        return std::to_string(hours) + " h " + std::to_string(minutes % 60) + " min";
    return std::to_string(hours / 24) + " d " + std::to_string(hours % 24) + " h";
}

std::string time_text(double unix_seconds) {
    return formatted_time(unix_seconds, "%F %T");
}

std::string clock_text(double unix_seconds) {
    return formatted_time(unix_seconds, "%T");
}

std::string fixed(double value, int digits) {
    std::array<char, 352> text{}; // the largest double has 309 digits
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

} // namespace interposed::ctl
