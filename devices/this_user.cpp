#include "devices/this_user.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <pwd.h>
#include <unistd.h>

namespace interposed::devices {

namespace {

/// May ask the network, where the system's users are there.
std::string this_user() {
    const uid_t uid = ::geteuid();
    std::array<char, 4096> text{};
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(uid, &entry, text.data(), text.size(), &found) == 0 && found != nullptr)
        return "user \"" + std::string(found->pw_name) + "\"";
    return "user " + std::to_string(uid);
}

} // namespace

std::string denied_to(int error) {
    const std::string reason = std::string("\"") + std::strerror(error) + "\"";
    return error == EACCES || error == EPERM ? reason + " for " + this_user() : reason;
}

} // namespace interposed::devices
