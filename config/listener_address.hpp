#pragma once

#include "config/config.hpp"

#include <string>
#include <string_view>

namespace interposed::config {

/// "host:port" or "[v6]:port"; the port may be left out. Throws std::invalid_argument.
TcpAddress parse_tcp(std::string_view text);

/// An absolute path. Throws std::invalid_argument if it cannot be that of a socket.
UnixAddress parse_unix(std::string path);

} // namespace interposed::config
