#include "server/log_line.hpp"

#include "protocol/utf8.hpp"

#include <cstdint>
#include <cstdio>
#include <ctime>

namespace interposed::server::log {

namespace {

using std::chrono::microseconds;
using std::chrono::system_clock;

const char* name_of(Level level) {
    switch (level) {
    case Level::error:
        return "error";
    case Level::warning:
        return "warning";
    case Level::info:
        return "info";
    default:
        return "debug";
    }
}

bool is_control(unsigned char byte) {
    return byte < 0x20 || byte == 0x7f;
}

/// As RFC 3339 has it, in UTC.
std::string time_text(system_clock::time_point when) {
    const auto since = std::chrono::floor<microseconds>(when.time_since_epoch());
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    const std::time_t seconds = whole.count();
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    char text[64];
    const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    std::snprintf(text + length, sizeof text - length, ".%06dZ",
                  static_cast<int>((since - whole).count()));
    return text;
}

void append_escaped(std::string& out, unsigned char control) {
    static constexpr char digits[] = "0123456789abcdef";
    out += "\\u00";
    out += digits[control >> 4];
    out += digits[control & 15];
}

/// One character, or a byte that is none, from the front of the text. Returns the bytes it took.
std::size_t append_character(std::string& out, std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = protocol::utf8_sequence(text);
    if (length == 0) {
        out += "\xEF\xBF\xBD"; // U+FFFD, the replacement character
        return 1;
    }
    const bool c1_control = first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    if (c1_control) {
        append_escaped(out, static_cast<unsigned char>(text[1]));
    } else if (is_control(first)) {
        append_escaped(out, first);
    } else {
        if (first == '"' || first == '\\')
            out += '\\';
        out += text.substr(0, length);
    }
    return length;
}

void append_string(std::string& out, std::string_view text) {
    out += '"';
    while (!text.empty())
        text.remove_prefix(append_character(out, text));
    out += '"';
}

void append_member(std::string& out, const char* key, std::string_view value) {
    out += ",\"";
    out += key;
    out += "\":";
    append_string(out, value);
}

void append_member(std::string& out, const char* key, std::uint64_t value) {
    out += ",\"" + std::string(key) + "\":" + std::to_string(value);
}

} // namespace

int priority_of(Level level) {
    switch (level) {
    case Level::error:
        return 3;
    case Level::warning:
        return 4;
    case Level::info:
        return 6;
    default:
        return 7;
    }
}

void append_printable(std::string& out, std::string_view text) {
    for (const char c : text)
        out += is_control(static_cast<unsigned char>(c)) ? '?' : c;
}

std::string text_line(Level level, std::string_view message) {
    std::string out = "interposed: ";
    if (level != Level::info) {
        out += name_of(level);
        out += ": ";
    }
    append_printable(out, message);
    out += '\n';
    return out;
}

std::string json_line(system_clock::time_point when, Level level, std::string_view message,
                      const Fields& fields) {
    std::string out = "{\"time\":\"" + time_text(when) + '"';
    append_member(out, "level", name_of(level));
    append_member(out, "message", message);
    for_each_field(
        fields, [&out](const char* name, const auto& value) { append_member(out, name, value); });
    out += "}\n";
    return out;
}

} // namespace interposed::server::log
