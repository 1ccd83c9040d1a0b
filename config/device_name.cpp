#include "config/device_name.hpp"

#include "config/quotes.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace interposed::config {
namespace {

constexpr std::size_t longest_path = 4095; // PATH_MAX counts the NUL
constexpr unsigned largest_major = (1U << 12U) - 1;
constexpr unsigned largest_minor = (1U << 20U) - 1;

bool is_digit(char c) {
    return '0' <= c && c <= '9';
}
bool is_letter(char c) {
    return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
}

bool is_number_up_to(std::string_view text, unsigned most) {
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && number <= most;
}

/// Digits and then a colon can only be meant as a device number.
void check_device_number(std::string_view text, std::size_t colon) {
    if (!is_number_up_to(text.substr(0, colon), largest_major) ||
        !is_number_up_to(text.substr(colon + 1), largest_minor))
        throw std::invalid_argument("want major:minor as two decimal numbers up to 4095 and "
                                    "1048575, got " +
                                    in_quotes(text));
}

bool is_scheme(std::string_view text) {
    return !text.empty() && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
           });
}

} // namespace

std::string path_in(const std::string& folder, std::string_view path) {
    if (path.starts_with('/'))
        return std::string(path);
    while (path.starts_with("./") && path.size() > 2)
        path.remove_prefix(2);
    return folder + (folder.ends_with('/') ? "" : "/") + std::string(path);
}

std::string device_name(std::string_view text, const std::string& folder) {
    if (text.empty() || text.find('\0') != std::string_view::npos)
        throw std::invalid_argument("want a path or major:minor, got " + in_quotes(text));
    const std::string_view scheme = text.substr(0, text.find(':'));
    if (scheme.size() < text.size() && std::all_of(scheme.begin(), scheme.end(), is_digit)) {
        check_device_number(text, scheme.size());
        return std::string(text);
    }
    if (scheme.size() < text.size() && is_scheme(scheme))
        throw std::invalid_argument("want a path or major:minor, got " + in_quotes(text) +
                                    ": names that begin with a scheme are reserved; for a file "
                                    "of that name write " +
                                    in_quotes("./" + std::string(text)));
    std::string path = path_in(folder, text);
    if (path.size() > longest_path)
        throw std::invalid_argument("want a path of at most 4095 bytes, got one of " +
                                    std::to_string(path.size()));
    return path;
}

} // namespace interposed::config
