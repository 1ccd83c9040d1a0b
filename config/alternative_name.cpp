#include "config/alternative_name.hpp"

#include "config/addresses.hpp"
#include "config/ascii.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>
#include <utility>

namespace interposed::config {
namespace {

using Kind = AlternativeName::Kind;

constexpr std::array<std::string_view, 4> prefixes = {"dns:", "email:", "uri:", "ip:"}; // by Kind
constexpr std::string_view wildcard = "*.";
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_label = 63;

[[noreturn]] void refuse(const std::string& wanted, std::string_view found) {
    throw std::invalid_argument("want " + wanted + ", got " + in_quotes(found));
}

bool is_label(std::string_view text) {
    return !text.empty() && text.size() <= longest_label &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_host(std::string_view text) {
    if (text.size() > longest_host)
        return false;
    for (;;) {
        const std::size_t dot = std::min(text.find('.'), text.size());
        if (!is_label(text.substr(0, dot)))
            return false;
        if (dot == text.size())
            return true;
        text.remove_prefix(dot + 1);
    }
}

std::optional<Kind> kind_of(std::string_view text) {
    for (std::size_t i = 0; i < prefixes.size(); ++i)
        if (text.starts_with(prefixes.at(i)))
            return static_cast<Kind>(i);
    return std::nullopt;
}

std::string_view prefix_of(Kind kind) {
    return prefixes.at(static_cast<std::size_t>(kind));
}

/// The part before the last "@" is the host's own business: a mailbox can depend on case.
std::optional<std::string> mail_address(std::string_view text) {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || at == 0 || !is_host(text.substr(at + 1)))
        return std::nullopt;
    return std::string(text.substr(0, at + 1)) + lower_case(text.substr(at + 1));
}

std::optional<std::string> ip_address(std::string_view text) {
    const auto address = parse_address(text);
    return address ? std::optional(to_string(*address)) : std::nullopt;
}

bool is_printable(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
               return 0x20 < c && c < 0x7F; // also of a signed char: nothing beyond ASCII
           });
}

std::string parse_host(std::string_view text, AlternativeName& into) {
    into.any_label = text.starts_with(wildcard);
    const std::string_view host = text.substr(into.any_label ? wildcard.size() : 0);
    if (!is_host(host))
        refuse("a host name of letters, digits and hyphens behind \"dns:\", with \"*\" for no more "
               "than its whole first label",
               text);
    return lower_case(host);
}

} // namespace

AlternativeName parse_alternative_name(std::string_view text) {
    const auto kind = kind_of(text);
    if (!kind)
        refuse("\"dns:HOST\", \"email:ADDRESS\", \"uri:URI\" or \"ip:ADDRESS\"", text);
    const std::string_view rest = text.substr(prefix_of(*kind).size());
    AlternativeName name{.kind = *kind, .name = {}};
    std::optional<std::string> parsed;
    switch (*kind) {
    case Kind::dns:
        parsed = parse_host(rest, name);
        break;
    case Kind::email:
        if (is_printable(rest))
            parsed = mail_address(rest);
        if (!parsed)
            refuse("a mail address such as \"ops@example.com\" behind \"email:\"", rest);
        break;
    case Kind::uri:
        if (!is_printable(rest) || rest.find(':') == std::string_view::npos)
            refuse("a URI of printable ASCII behind \"uri:\"", rest);
        parsed = rest;
        break;
    case Kind::ip:
        parsed = ip_address(rest);
        if (!parsed)
            refuse("an IP address behind \"ip:\"", rest);
        break;
    }
    name.name = std::move(*parsed);
    return name;
}

std::string to_string(const AlternativeName& name) {
    return std::string(prefix_of(name.kind)) + std::string(name.any_label ? wildcard : "") +
           name.name;
}

bool matches(const AlternativeName& wanted, std::string_view presented) {
    const std::string_view prefix = prefix_of(wanted.kind);
    if (!presented.starts_with(prefix))
        return false;
    std::string_view name = presented.substr(prefix.size());
    switch (wanted.kind) {
    case Kind::dns:
        if (wanted.any_label) {
            const std::size_t dot = std::min(name.find('.'), name.size());
            if (!is_label(name.substr(0, dot)) || dot == name.size())
                return false;
            name.remove_prefix(dot + 1);
        }
        return lower_case(name) == wanted.name;
    case Kind::email:
        return mail_address(name) == wanted.name;
    case Kind::uri:
        return name == wanted.name;
    case Kind::ip:
        return ip_address(name) == wanted.name;
    }
    return false;
}

} // namespace interposed::config
