#include "server/accounts.hpp"

#include <charconv>
#include <grp.h>
#include <pwd.h>

namespace interposed::server {

namespace {

std::optional<unsigned> number_in(const std::string& text) {
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

} // namespace

std::optional<uid_t> find_user(const std::string& name) {
    if (const auto number = number_in(name))
        return number;
    const passwd* const user = ::getpwnam(name.c_str());
    return user == nullptr ? std::nullopt : std::optional(user->pw_uid);
}

std::optional<gid_t> find_group(const std::string& name) {
    if (const auto number = number_in(name))
        return number;
    const group* const found = ::getgrnam(name.c_str());
    return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

} // namespace interposed::server
