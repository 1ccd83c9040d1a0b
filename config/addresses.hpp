#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace interposed::config {

/// A numeric address; IPv4 uses the first 4 bytes.
struct Address {
    bool v6 = false;
    std::uint8_t bytes[16] = {};
};

/// An address range such as 127.0.0.0/8 or ::1; host bits are zero. One inside ::ffff:0:0/96 is
/// kept as the IPv4 range it means.
struct AddressRange {
    bool v6 = false;
    std::uint8_t address[16] = {}; ///< network order; the first 4 bytes for IPv4
    std::uint8_t prefix_length = 0;

    friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// "127.0.0.0/8"; a single address stands without its prefix length.
std::string to_string(const AddressRange& range);

/// Whether every address of one range is in the other.
bool contains(const AddressRange& range, const AddressRange& part);

std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);

/// "127.0.0.0/8", "::1". Throws std::invalid_argument, also for host bits that are set.
AddressRange parse_range(std::string_view text);

} // namespace interposed::config
