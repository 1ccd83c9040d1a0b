#include "server/accounts.hpp"

#include <cerrno>
#include <charconv>
#include <grp.h>
#include <pwd.h>
#include <vector>

namespace interposed::server {

namespace {

std::optional<unsigned> number_in(const std::string& text) {
    unsigned number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return parsed.ec == std::errc() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

/// Calls one of getpwnam_r() and getgrnam_r(), whose entries need an unknown amount of room. The
/// other functions share theirs among all threads.
template <typename Entry, typename Look>
bool look_up(Look look, const std::string& name, Entry& entry) {
    constexpr std::size_t most = std::size_t{16} << 20; // a group of a million members
    for (std::size_t room = 4096; room <= most; room *= 4) {
        std::vector<char> text(room);
        Entry* found = nullptr;
        const int error = look(name.c_str(), &entry, text.data(), text.size(), &found);
        if (error != ERANGE)
            return error == 0 && found != nullptr;
    }
    return false;
}

} // namespace

std::optional<uid_t> find_user(const std::string& name) {
    if (const auto number = number_in(name))
        return number;
    passwd user{};
    return look_up(::getpwnam_r, name, user) ? std::optional(user.pw_uid) : std::nullopt;
}

std::optional<gid_t> find_group(const std::string& name) {
    if (const auto number = number_in(name))
        return number;
    group found{};
    return look_up(::getgrnam_r, name, found) ? std::optional(found.gr_gid) : std::nullopt;
}

} // namespace interposed::server
