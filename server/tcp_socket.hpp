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

/// For a socket between two processes of a host, where nothing is congested: an algorithm that
/// paces what it sends, as BBR does, only takes time there. A connection that began with one keeps
/// its timers: a listener that only this host reaches is better told before anybody connects.
void send_at_once(int fd);

/// What a TCP socket is bound to: "127.0.0.1:10809", "[::1]:10809".
std::string bound_address(int fd);

} // namespace interposed::server
