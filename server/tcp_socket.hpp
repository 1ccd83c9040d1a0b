#pragma once

#include "config/config.hpp"
#include "devices/file_descriptor.hpp"

#include <string>
#include <vector>

namespace interposed::server {

struct TcpSocket {
    devices::FileDescriptor fd; ///< non-blocking
    std::string address;        ///< "127.0.0.1:10809", "[::1]:10809"; with the port it has got
};

/// Binds and listens: one socket for each address that the host has. Throws std::runtime_error
/// that names the address, what was wanted and what was found.
std::vector<TcpSocket> listen_on_tcp(const config::TcpAddress& address);

/// What a TCP socket is bound to: "127.0.0.1:10809", "[::1]:10809".
std::string bound_address(int fd);

} // namespace interposed::server
