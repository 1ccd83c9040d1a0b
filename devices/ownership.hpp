#pragma once

#include <string>
#include <sys/types.h>

namespace interposed::devices {

/// Gives a regular file in a folder to a user, if it is there. Whoever owned the folder before may
/// have put anything there: so it is looked at, and given, as what was found, and a file that has
/// another name elsewhere, which may be somebody else's, is left alone. False, with errno: it is
/// there and cannot be given.
bool give_file(int folder, const std::string& name, uid_t uid, gid_t gid);

} // namespace interposed::devices
