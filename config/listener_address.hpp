#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace interposed::config {

inline constexpr std::uint16_t nbd_port = 10809; ///< of IANA's list

/// "host:port" or "[v6]:port"; the port may be left out. Throws std::invalid_argument.
TcpAddress parse_tcp(std::string_view text, std::uint16_t default_port = nbd_port);

/// A path, made absolute. Throws std::invalid_argument if it cannot be that of a socket.
UnixAddress parse_unix(std::string_view text, const std::string& folder);

/// What a service manager can call a socket that it passes (FileDescriptorName= in
/// systemd.socket(5)). Throws std::invalid_argument.
std::string parse_socket_name(std::string_view text);

} // namespace interposed::config
