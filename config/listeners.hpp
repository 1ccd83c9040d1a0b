#pragma once

#include "config/reader.hpp"

#include <string>
#include <vector>

namespace interposed::config {

/// The name or number of a user or group; nothing if there is no node.
std::optional<std::string> read_account(Reader& reader, const std::optional<Node>& at);

/// The socket that the members "unix", "mode", "owner" and "group" of an object describe.
std::optional<UnixAddress> read_socket(Reader& reader, const Fields& fields,
                                       const std::string& folder);

/// The value of "listen": one listener or an array of them. `folder` is for relative paths.
std::vector<Listener> read_listeners(Reader& reader, const Node& at, const std::string& folder);

} // namespace interposed::config
