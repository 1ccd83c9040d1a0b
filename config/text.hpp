#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The configuration file as characters: where they stand, and which of them mean nothing.
namespace interposed::config {

inline constexpr std::size_t largest_text = std::size_t{256} << 20U; ///< bytes

/// Small, for there is one in every value; no text that is read is larger than 32 bits count.
struct Position {
    std::uint32_t line = 1;
    std::uint32_t column = 1; ///< in bytes
};

/// A place in a text that only moves forward and knows its line and column.
class Cursor {
public:
    explicit Cursor(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const { return offset_ == text_.size(); }
    /// The character here; NUL at the end of the text, which never contains one.
    [[nodiscard]] char here() const { return at_end() ? '\0' : text_[offset_]; }
    /// The character before; NUL at the beginning.
    [[nodiscard]] char before() const { return offset_ == 0 ? '\0' : text_[offset_ - 1]; }
    [[nodiscard]] std::string_view rest() const { return text_.substr(offset_); }
    [[nodiscard]] std::size_t offset() const { return offset_; }
    [[nodiscard]] Position position() const {
        return {line_, static_cast<std::uint32_t>(offset_ - line_start_ + 1)};
    }

    void step();
    void advance_to(std::size_t offset);
    /// As advance_to, but over text in which no line ends: quick.
    void jump_to(std::size_t offset) { offset_ = offset; }

    /// Moves over blanks and comments. Stops at the "/" of what is not a whole comment.
    void skip_blanks();

private:
    bool skip_comment();

    std::string_view text_;
    std::size_t offset_ = 0;
    std::uint32_t line_ = 1;
    std::size_t line_start_ = 0;
};

/// The length of the well-formed UTF-8 character that the text begins with; 0 if it does not.
std::size_t character_length(std::string_view text);

/// The first place where the text cannot be that of a configuration, whatever the syntax.
struct BadText {
    Position at;
    std::string message;
};

/// Looks for a byte order mark, NUL bytes, malformed UTF-8 and excessive size.
std::optional<BadText> find_bad_text(std::string_view text);

/// "0a": two hexadecimal digits.
std::string hex_byte(char c);

} // namespace interposed::config
