#include "bench/text.hpp"

#include <array>
#include <cctype>
#include <cstdarg>
#include <cstdio>
#include <stdexcept>

namespace interposed::bench {

namespace {

constexpr double seconds_max = 24.0 * 3600;

[[noreturn]] void refuse(const std::string& what, const std::string& wanted,
                         const std::string& found) {
    throw std::invalid_argument(what + ": want " + wanted + ", got \"" + found + "\"");
}

/// The power of two behind a unit; -1 for none such.
int unit_shift(std::string unit) {
    for (char& letter : unit)
        letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (unit.empty() || unit == "b")
        return 0;
    const std::string tail = unit.substr(1);
    const std::size_t rank = std::string("kmgt").find(unit[0]);
    if (rank == std::string::npos || !(tail.empty() || tail == "ib"))
        return -1;
    return 10 * (static_cast<int>(rank) + 1);
}

} // namespace

std::string hex(std::uint64_t value) {
    return format("0x%llx", static_cast<unsigned long long>(value));
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"TiB", "GiB", "MiB", "KiB"};
    std::uint64_t unit = std::uint64_t{1} << 40;
    for (const char* name : units) {
        if (bytes >= unit && bytes % unit == 0)
            return std::to_string(bytes / unit) + " " + name;
        unit >>= 10;
    }
    return std::to_string(bytes) + " B";
}

std::uint64_t parse_size(const std::string& what, const std::string& text) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    const std::string number = text.substr(0, digits);
    const int shift = unit_shift(digits == std::string::npos ? "" : text.substr(digits));
    if (number.empty() || number.size() > 18 || shift < 0)
        refuse(what, "a size such as 4096, 4k or 1MiB", text);
    const std::uint64_t value = std::stoull(number);
    if (value == 0 || value > (~std::uint64_t{0} >> shift))
        refuse(what, "a size that is not zero and fits 64 bits", text);
    return value << shift;
}

std::uint64_t parse_count(const std::string& what, const std::string& text, std::uint64_t least,
                          std::uint64_t most) {
    const std::string wanted =
        "a number from " + std::to_string(least) + " to " + std::to_string(most);
    if (text.empty() || text.size() > 18 ||
        text.find_first_not_of("0123456789") != std::string::npos)
        refuse(what, wanted, text);
    const std::uint64_t value = std::stoull(text);
    if (value < least || value > most)
        refuse(what, wanted, text);
    return value;
}

double parse_seconds(const std::string& what, const std::string& text) {
    std::size_t used = 0;
    double value = -1;
    try {
        value = std::stod(text, &used);
    } catch (const std::logic_error&) { // not a number at all: told below
    }
    if (used != text.size() || !(value >= 0 && value <= seconds_max))
        refuse(what, "seconds, at most a day", text);
    return value;
}

std::string format(const char* pattern, ...) {
    std::array<char, 512> text{};
    va_list values;
    va_start(values, pattern);
    std::vsnprintf(text.data(), text.size(), pattern, values);
    va_end(values);
    return text.data();
}

} // namespace interposed::bench
