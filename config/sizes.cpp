#include "config/sizes.hpp"

#include "config/nearest.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace interposed::config {
namespace {

constexpr std::array<std::string_view, 5> unit_names = {"KiB", "MiB", "GiB", "TiB", "s"};
constexpr std::array<std::uint64_t, 5> unit_sizes = {
    std::uint64_t{1} << 10U, std::uint64_t{1} << 20U, std::uint64_t{1} << 30U,
    std::uint64_t{1} << 40U, sector_size};

[[noreturn]] void refuse(const std::string& wanted, const std::string& found) {
    throw std::invalid_argument("want " + wanted + ", got " + found);
}

bool are_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

/// `digits` times `unit`; `written` is for the message.
std::uint64_t scaled(std::string_view digits, std::uint64_t unit, const std::string& written) {
    std::uint64_t number = 0;
    const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (result.ec != std::errc() || number > largest_size / unit)
        refuse("at most 9223372036854775807 bytes (2^63 - 1)", written);
    return number * unit;
}

std::string shortened(std::string_view literal) {
    return literal.size() <= 40 ? std::string(literal) : std::string(literal.substr(0, 37)) + "...";
}

[[noreturn]] void refuse_unit(std::string_view unit, std::string_view text) {
    if (unit.empty())
        refuse("a unit in the string (KiB, MiB, GiB, TiB or s) or bytes as a plain number",
               in_quotes(text));
    if (unit.front() == '.')
        refuse("a whole number before the unit", in_quotes(text));
    throw std::invalid_argument("want a size such as 4096, \"10GiB\" or \"2048s\", got " +
                                in_quotes(text) + ": unknown unit " + in_quotes(unit) +
                                hint(unit, unit_names));
}

} // namespace

std::uint64_t parse_bytes(std::string_view literal) {
    if (literal.starts_with('-'))
        refuse("a number of bytes that is not negative", shortened(literal));
    if (!are_digits(literal))
        refuse("a whole number of bytes in decimal digits", shortened(literal));
    return scaled(literal, 1, shortened(literal));
}

std::uint64_t parse_size(std::string_view text) {
    const std::size_t length = std::min(text.find_first_not_of("0123456789"), text.size());
    const std::string_view digits = text.substr(0, length);
    const std::string_view unit = text.substr(length);
    if (digits.empty() || (digits.size() > 1 && digits.front() == '0'))
        refuse("a size such as 4096, \"10GiB\" or \"2048s\"", in_quotes(text));
    const auto known = std::find(unit_names.begin(), unit_names.end(), unit);
    if (known == unit_names.end())
        refuse_unit(unit, text);
    return scaled(digits, unit_sizes[static_cast<std::size_t>(known - unit_names.begin())],
                  in_quotes(text));
}

std::uint64_t parse_sectors(std::string_view text) {
    if (!are_digits(text))
        refuse("a number of 512-byte sectors in decimal digits", in_quotes(text));
    return scaled(text, sector_size, in_quotes(text) + " sectors");
}

std::string human_size(std::uint64_t bytes) {
    constexpr std::array<const char*, 6> units = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024)
        return std::to_string(bytes) + " B";
    std::size_t unit = 0;
    while (unit + 1 < units.size() && (bytes >> (10U * (unit + 2))) > 0)
        ++unit;
    const std::uint64_t one = std::uint64_t{1} << (10U * (unit + 1));
    if (bytes % one == 0)
        return std::to_string(bytes / one) + " " + units[unit];
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.2f %s",
                  static_cast<double>(bytes) / static_cast<double>(one), units[unit]);
    return text.data();
}

std::string size_text(std::uint64_t bytes) {
    const std::string number = std::to_string(bytes);
    return bytes < 1024 ? number : number + " (" + human_size(bytes) + ")";
}

} // namespace interposed::config
