#pragma once

#include "config/config.hpp"

#include <string>

namespace interposed::server {

/// Binds a Unix stream socket and listens. A socket file that nobody listens on any more is
/// replaced; one with a live server behind it is not, nor is any other kind of file. The file has
/// its owner and mode before anybody can connect. Returns the descriptor; throws
/// std::runtime_error that names the path, what was wanted and what was found.
int listen_on_unix_socket(const config::UnixAddress& address);

/// Removes the socket file if it is still the one that `fd` is bound to.
void remove_unix_socket(const std::string& path, int fd);

} // namespace interposed::server
