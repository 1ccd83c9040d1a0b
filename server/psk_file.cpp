#include "server/psk_file.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace interposed::server {

namespace {

std::optional<unsigned> hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<unsigned>(c - 'a') + 10U;
    if (c >= 'A' && c <= 'F')
        return static_cast<unsigned>(c - 'A') + 10U;
    return std::nullopt;
}

std::optional<std::vector<unsigned char>> from_hex(std::string_view text) {
    std::vector<unsigned char> bytes;
    if (text.size() % 2 != 0)
        return std::nullopt;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const auto high = hex_digit(text[i]);
        const auto low = hex_digit(text[i + 1]);
        if (!high || !low)
            return std::nullopt;
        bytes.push_back(static_cast<unsigned char>(*high << 4U | *low));
    }
    return bytes;
}

[[noreturn]] void refuse(std::size_t line, const std::string& why) {
    throw std::runtime_error("line " + std::to_string(line) + ": " + why);
}

std::string identity_of(std::string_view written, std::size_t line) {
    std::string identity(written);
    if (written.starts_with('#')) {
        const auto bytes = from_hex(written.substr(1));
        if (!bytes)
            refuse(line, "want an identity in hexadecimal behind the '#', found something else");
        identity.assign(bytes->begin(), bytes->end());
    }
    if (identity.empty() || identity.size() > max_psk_identity)
        refuse(line, "want an identity of 1 to " + std::to_string(max_psk_identity) +
                         " bytes, found " + std::to_string(identity.size()));
    if (identity.find('\0') != std::string::npos)
        refuse(line, "want an identity without NUL bytes, found one");
    return identity;
}

} // namespace

PskTable parse_psk_file(std::string_view text) {
    PskTable table;
    for (std::size_t line = 1; !text.empty(); ++line) {
        std::string_view one = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), one.size() + 1));
        if (one.ends_with('\r'))
            one.remove_suffix(1);
        if (one.empty())
            continue;
        const std::size_t colon = one.rfind(':'); // a key has none
        if (colon == std::string_view::npos)
            refuse(line, "want \"identity:key in hexadecimal\", found no colon");
        auto key = from_hex(one.substr(colon + 1));
        if (!key)
            refuse(line, "want a key in hexadecimal, found something else");
        if (key->size() < min_psk || key->size() > max_psk)
            refuse(line, "want a key of " + std::to_string(min_psk) + " to " +
                             std::to_string(max_psk) + " bytes, found " +
                             std::to_string(key->size()));
        const auto [there, is_new] =
            table.emplace(identity_of(one.substr(0, colon), line), std::move(*key));
        if (!is_new)
            refuse(line, "want each identity once, found one a second time");
    }
    if (table.empty())
        throw std::runtime_error("want at least one line of \"identity:key\", found none");
    return table;
}

} // namespace interposed::server
