#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace interposed::config {

/// A numeric address; IPv4 uses the first 4 bytes.
struct Address {
    bool v6 = false;
    std::uint8_t bytes[16] = {};
};

std::optional<Address> parse_address(std::string_view text);
std::string to_string(const Address& address);

/// "127.0.0.0/8", "::1". Throws std::invalid_argument, also for host bits that are set.
AddressRange parse_range(std::string_view text);

} // namespace interposed::config
