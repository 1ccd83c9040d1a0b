#include "control/accept_header.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <string>

namespace interposed::control {

namespace {

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t";
    const std::size_t begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos)
        return {};
    return text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
}

/// Takes what stands before the separator, without the blanks around it.
std::string_view next_part(std::string_view& rest, char separator) {
    const std::size_t end = std::min(rest.find(separator), rest.size());
    const std::string_view part = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return part;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    std::ranges::transform(lower, lower.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return lower;
}

/// "application/openmetrics-text; version=1.0.0; q=0.8"
struct MediaRange {
    explicit MediaRange(std::string_view text) : name(lower_case(next_part(text, ';'))) {
        while (!text.empty()) {
            std::string_view value = next_part(text, ';');
            const std::string key = lower_case(next_part(value, '='));
            if (key == "version")
                version = value;
            else if (key == "q")
                std::from_chars(value.data(), value.data() + value.size(), quality);
        }
    }

    std::string name;
    std::string_view version;
    double quality = 1;
};

} // namespace

Dialect dialect_for(std::string_view accept) {
    double openmetrics = 0;
    double text = 0;
    while (!accept.empty()) {
        const MediaRange range(next_part(accept, ','));
        if (range.name == "application/openmetrics-text" &&
            (range.version.empty() || range.version == "1.0.0" || range.version == "\"1.0.0\""))
            openmetrics = std::max(openmetrics, range.quality);
        else if (range.name == "text/plain")
            text = std::max(text, range.quality);
    }
    return openmetrics > 0 && openmetrics >= text ? Dialect::openmetrics : Dialect::prometheus;
}

const char* media_type(Dialect dialect) {
    return dialect == Dialect::openmetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

} // namespace interposed::control
