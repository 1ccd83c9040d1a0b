#include "config/addresses.hpp"

#include "config/quotes.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <stdexcept>

namespace interposed::config {
namespace {

[[noreturn]] void refuse(std::string_view text, const std::string& more = {}) {
    throw std::invalid_argument("want an address or a range such as \"127.0.0.0/8\" or \"::1\", "
                                "or \"unix\", got " +
                                in_quotes(text) + more);
}

std::uint8_t width(bool v6) {
    return v6 ? 128 : 32;
}

/// nullopt: no number from 0 to `most`.
std::optional<std::uint8_t> parse_prefix(std::string_view digits, std::uint8_t most) {
    std::uint8_t number = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, number);
    const bool padded = digits.size() > 1 && digits.front() == '0';
    if (error != std::errc() || stop != end || number > most || padded)
        return std::nullopt;
    return number;
}

/// The address with everything behind the prefix made zero.
Address network_of(Address address, unsigned prefix) {
    for (unsigned i = 0; i < 16; ++i) {
        const unsigned kept = std::clamp(prefix, i * 8, i * 8 + 8) - i * 8;
        address.bytes[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
    }
    return address;
}

bool is_mapped(const AddressRange& range) {
    constexpr std::array<std::uint8_t, 12> prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    return range.v6 && range.prefix_length >= 96 &&
           std::equal(prefix.begin(), prefix.end(), range.address);
}

AddressRange unmapped(const AddressRange& mapped) {
    AddressRange range;
    std::copy_n(mapped.address + 12, 4, range.address);
    range.prefix_length = static_cast<std::uint8_t>(mapped.prefix_length - 96);
    return range;
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        return std::nullopt;
    Address address;
    address.v6 = text.find(':') != std::string_view::npos;
    const int family = address.v6 ? AF_INET6 : AF_INET;
    if (inet_pton(family, std::string(text).c_str(), address.bytes) != 1)
        return std::nullopt;
    return address;
}

std::string to_string(const Address& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const int family = address.v6 ? AF_INET6 : AF_INET;
    inet_ntop(family, address.bytes, text.data(), text.size());
    return text.data();
}

AddressRange parse_range(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::optional<Address> address = parse_address(text.substr(0, slash));
    if (!address)
        refuse(text);
    AddressRange range{.v6 = address->v6, .prefix_length = width(address->v6)};
    if (slash < text.size()) {
        const auto prefix = parse_prefix(text.substr(slash + 1), range.prefix_length);
        if (!prefix)
            refuse(text, ": want a prefix length from 0 to " + std::to_string(range.prefix_length) +
                             " behind the slash");
        range.prefix_length = *prefix;
    }
    const Address network = network_of(*address, range.prefix_length);
    std::copy_n(network.bytes, 16, range.address);
    if (!std::equal(network.bytes, network.bytes + 16, address->bytes))
        refuse(text, ": bits behind the prefix are set; did you mean " +
                         in_quotes(to_string(range)) + "?");
    return is_mapped(range) ? unmapped(range) : range;
}

std::string to_string(const AddressRange& range) {
    Address address{.v6 = range.v6};
    std::copy_n(range.address, 16, address.bytes);
    const std::string text = to_string(address);
    return range.prefix_length == width(range.v6)
               ? text
               : text + "/" + std::to_string(range.prefix_length);
}

bool contains(const AddressRange& range, const AddressRange& part) {
    if (range.v6 != part.v6 || range.prefix_length > part.prefix_length)
        return false;
    Address address{.v6 = part.v6};
    std::copy_n(part.address, 16, address.bytes);
    const Address network = network_of(address, range.prefix_length);
    return std::equal(network.bytes, network.bytes + 16, range.address);
}

} // namespace interposed::config
