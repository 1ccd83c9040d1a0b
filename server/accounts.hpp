#pragma once

#include <optional>
#include <string>
#include <sys/types.h>

namespace interposed::server {

/// A user or group by number, or by the name that the system knows. nullopt: there is none. May
/// wait, where the system has to ask another. From any thread.
std::optional<uid_t> find_user(const std::string& name);
std::optional<gid_t> find_group(const std::string& name);

} // namespace interposed::server
