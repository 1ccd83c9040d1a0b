#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <vector>

namespace interposed::server {

/// Who is at the other end of a connection, as far as the kernel knows.
struct Peer {
    std::string name;   ///< "127.0.0.1:4711", "unix pid 12 uid 0": for the log
    std::string client; ///< whom connections are counted by: "127.0.0.1", "2001:db8::/64", "uid 0"
    std::optional<config::AddressRange> address; ///< a single address; absent for Unix sockets

    /// Of a connected socket. An IPv4 client of an IPv6 listener has its IPv4 address.
    static Peer of(int fd);

    /// Whether a list of ranges lets this peer in. Address lists do not speak of Unix sockets,
    /// whose file has an owner and a mode: their clients are let in.
    [[nodiscard]] bool
    allowed_by(const std::optional<std::vector<config::AddressRange>>& ranges) const;
};

} // namespace interposed::server
