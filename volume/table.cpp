#include "volume/table.hpp"

#include "config/quotes.hpp"

#include <charconv>
#include <stdexcept>

namespace interposed::volume {
namespace {

using config::in_quotes;

template <typename Number>
bool take_number(std::string_view text, Number& number) {
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
}

/// The word that the text begins with; it and the blanks behind it are taken away.
std::string_view take_word(std::string_view& text) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(text.find_first_not_of(' ', end), text.size()));
    return word;
}

} // namespace

std::string text_of(DeviceNumber number) {
    return std::to_string(number.major) + ":" + std::to_string(number.minor);
}

DeviceNumber parse_number(std::string_view text) {
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    const std::size_t colon = text.find(':');
    DeviceNumber number;
    if (colon == std::string_view::npos || !take_number(text.substr(0, colon), number.major) ||
        !take_number(text.substr(colon + 1), number.minor))
        throw std::runtime_error("want a device such as 8:16, found " + in_quotes(text));
    return number;
}

std::string line_of(const Target& target) {
    return std::to_string(target.start) + " " + std::to_string(target.length) + " " + target.type +
           (target.arguments.empty() ? "" : " " + target.arguments);
}

std::vector<std::string> lines_of(const Table& table) {
    std::vector<std::string> lines;
    for (const Target& target : table)
        lines.push_back(line_of(target));
    return lines;
}

Target parse_line(std::string_view line) {
    std::string_view rest = line;
    Target target;
    const bool numbers =
        take_number(take_word(rest), target.start) && take_number(take_word(rest), target.length);
    target.type = take_word(rest);
    target.arguments = rest;
    if (!numbers || target.type.empty())
        throw std::runtime_error("want START LENGTH TYPE ARGUMENTS, found " + in_quotes(line));
    return target;
}

Table parse_lines(const std::vector<std::string>& lines) {
    Table table;
    for (const std::string& line : lines)
        table.push_back(parse_line(line));
    return table;
}

std::uint64_t size_of(const Table& table) {
    return table.empty() ? 0 : table.back().start + table.back().length;
}

Area area_of(const Target& target) {
    std::string_view rest = target.arguments;
    const std::string_view device = take_word(rest);
    Area area{.device = {}, .start = 0, .length = target.length};
    if (target.type != "linear" || !take_number(rest, area.start))
        throw std::runtime_error("want linear DEVICE OFFSET, found " + in_quotes(line_of(target)));
    area.device = parse_number(device);
    return area;
}

std::vector<Area> linear_areas(const Table& table) {
    std::vector<Area> areas;
    for (const Target& target : table)
        if (target.type == "linear")
            areas.push_back(area_of(target));
    return areas;
}

bool overlap(const Area& one, const Area& other) {
    return one.device == other.device && one.start < other.start + other.length &&
           other.start < one.start + one.length;
}

Table whole_of(DeviceNumber device, std::uint64_t sectors) {
    return {{.start = 0, .length = sectors, .type = "linear", .arguments = text_of(device) + " 0"}};
}

} // namespace interposed::volume
