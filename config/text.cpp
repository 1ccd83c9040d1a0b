#include "config/text.hpp"

namespace interposed::config {
namespace {

constexpr unsigned byte_at(std::string_view text, std::size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0;
}

constexpr bool is_between(unsigned value, unsigned low, unsigned high) {
    return low <= value && value <= high;
}

constexpr bool is_continuation(unsigned byte) {
    return is_between(byte, 0x80, 0xBF);
}

/// The second byte decides about overlong forms, surrogates and what lies beyond U+10FFFF.
bool is_second_byte(unsigned first, unsigned second) {
    switch (first) {
    case 0xE0:
        return is_between(second, 0xA0, 0xBF);
    case 0xED:
        return is_between(second, 0x80, 0x9F);
    case 0xF0:
        return is_between(second, 0x90, 0xBF);
    case 0xF4:
        return is_between(second, 0x80, 0x8F);
    default:
        return is_continuation(second);
    }
}

Position position_of(std::string_view text, std::size_t offset) {
    Cursor cursor(text);
    cursor.advance_to(offset);
    return cursor.position();
}

} // namespace

void Cursor::step() {
    if (text_[offset_++] == '\n') {
        ++line_;
        line_start_ = offset_;
    }
}

void Cursor::advance_to(std::size_t offset) {
    while (offset_ < offset)
        step();
}

void Cursor::skip_blanks() {
    for (;;) {
        const char c = here();
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
            step();
        else if (c != '/' || !skip_comment())
            return;
    }
}

/// A line comment also ends at a carriage return, for the JSON library sees it so.
bool Cursor::skip_comment() {
    const std::string_view text = rest();
    if (text.starts_with("//")) {
        const std::size_t length = text.find_first_of("\r\n");
        advance_to(length == std::string_view::npos ? text_.size() : offset_ + length);
        return true;
    }
    const std::size_t close = text.starts_with("/*") ? text.find("*/", 2) : std::string_view::npos;
    if (close == std::string_view::npos)
        return false;
    advance_to(offset_ + close + 2);
    return true;
}

std::size_t character_length(std::string_view text) {
    const unsigned first = byte_at(text, 0);
    if (text.empty() || first < 0x80)
        return text.empty() ? 0 : 1;
    const std::size_t length = is_between(first, 0xC2, 0xDF)   ? 2
                               : is_between(first, 0xE0, 0xEF) ? 3
                               : is_between(first, 0xF0, 0xF4) ? 4
                                                               : 0;
    if (length == 0 || !is_second_byte(first, byte_at(text, 1)))
        return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (!is_continuation(byte_at(text, i)))
            return 0;
    return length;
}

std::optional<BadText> find_bad_text(std::string_view text) {
    if (text.size() > largest_text)
        return BadText{{}, "want at most 256 MiB of configuration"};
    if (text.starts_with("\xEF\xBB\xBF"))
        return BadText{{}, "want plain UTF-8, found a byte order mark before it"};
    std::size_t offset = 0;
    while (offset < text.size()) {
        const unsigned byte = byte_at(text, offset);
        const bool plain = is_between(byte, 0x01, 0x7F); // nearly all are
        const std::size_t length = plain ? 1 : character_length(text.substr(offset));
        if (byte == 0 || length == 0)
            return BadText{position_of(text, offset),
                           "want text in UTF-8, found the byte 0x" + hex_byte(text[offset])};
        offset += length;
    }
    return std::nullopt;
}

std::string hex_byte(char c) {
    constexpr char digits[] = "0123456789abcdef";
    const unsigned value = static_cast<unsigned char>(c);
    return {digits[value >> 4U], digits[value & 0xFU]};
}

} // namespace interposed::config
