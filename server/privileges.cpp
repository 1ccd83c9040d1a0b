#include "server/privileges.hpp"

#include "config/quotes.hpp"
#include "devices/file_descriptor.hpp"
#include "server/accounts.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

namespace interposed::server::privileges {

namespace {

using config::in_quotes;

[[noreturn]] void refuse(const std::string& why) {
    throw std::runtime_error("run_as: " + why);
}

[[noreturn]] void fail(const std::string& what) {
    refuse(what + ": " + std::generic_category().message(errno));
}

// --- capabilities --------------------------------------------------------------------------------

/// One bit for each.
using Set = std::uint64_t;

constexpr Set bit(unsigned capability) {
    return Set{1} << capability;
}

/// The kernel's nbd takes netlink messages of nobody else (drivers/block/nbd.c).
constexpr Set for_attaching = bit(CAP_SYS_ADMIN);

/// Of attach/residence, before anything else.
constexpr Set for_starting = bit(CAP_SYS_RESOURCE);

__user_cap_header_struct header() {
    return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
}

/// Of the calling thread.
Set permitted() {
    auto head = header();
    std::array<__user_cap_data_struct, 2> data{};
    if (::syscall(SYS_capget, &head, data.data()) != 0)
        fail("reading the capabilities");
    return Set{data[0].permitted} | Set{data[1].permitted} << 32U;
}

/// Of the calling thread: these, and nothing for whoever it might execute.
void set(Set kept) {
    auto head = header();
    std::array<__user_cap_data_struct, 2> data{};
    for (unsigned i = 0; i < data.size(); ++i)
        data[i].effective = data[i].permitted = static_cast<std::uint32_t>(kept >> (32 * i));
    if (::syscall(SYS_capset, &head, data.data()) != 0)
        fail("giving up capabilities");
}

// --- accounts ------------------------------------------------------------------------------------

const passwd* entry_of(const std::string& user, uid_t uid) {
    const passwd* const by_name = ::getpwnam(user.c_str());
    return by_name != nullptr ? by_name : ::getpwuid(uid);
}

gid_t group_number(const std::string& name) {
    const auto found = find_group(name);
    if (!found)
        refuse("want a group, found " + in_quotes(name) + ", which there is not");
    return *found;
}

std::vector<gid_t> groups_of(const std::string& user, gid_t gid) {
    int count = 0;
    ::getgrouplist(user.c_str(), gid, nullptr, &count);
    std::vector<gid_t> all(static_cast<std::size_t>(std::max(count, 1)));
    count = static_cast<int>(all.size());
    if (::getgrouplist(user.c_str(), gid, all.data(), &count) < 0)
        refuse("want the groups of user " + in_quotes(user) + ", found that they change");
    all.resize(static_cast<std::size_t>(count));
    std::erase(all, gid);
    return all;
}

std::vector<gid_t> current_groups() {
    const int count = ::getgroups(0, nullptr);
    std::vector<gid_t> all(static_cast<std::size_t>(std::max(count, 0)));
    if (count < 0 || ::getgroups(count, all.data()) != count)
        fail("reading the groups");
    return all;
}

/// Somebody else has seen to it, such as a service manager.
void check_is(const Account& account) {
    if (::geteuid() != account.uid || ::getuid() != account.uid)
        refuse("want root, or user " + in_quotes(account.user) + " already, found uid " +
               std::to_string(::geteuid()));
    const auto have = current_groups();
    const auto is_in = [&have](gid_t gid) {
        return gid == ::getegid() || std::find(have.begin(), have.end(), gid) != have.end();
    };
    for (const gid_t gid : account.groups) {
        if (!is_in(gid))
            refuse("want to be in group " + std::to_string(gid) + ", found that user " +
                   in_quotes(account.user) + ", who started the server, is not");
    }
}

/// The library does this in every thread. A thread that does not keep its capabilities loses them.
void change(const Account& account) {
    if (::setgroups(account.groups.size(), account.groups.data()) != 0)
        fail("taking the groups of user " + in_quotes(account.user));
    if (::setresgid(account.gid, account.gid, account.gid) != 0)
        fail("taking group " + std::to_string(account.gid));
    if (::setresuid(account.uid, account.uid, account.uid) != 0)
        fail("becoming user " + in_quotes(account.user));
}

} // namespace

Account look_up(const config::RunAs& wish) {
    const auto uid = find_user(wish.user);
    if (!uid)
        refuse("want a user, found " + in_quotes(wish.user) + ", which there is not");
    const passwd* const entry = entry_of(wish.user, *uid);
    if (entry == nullptr && !wish.group)
        refuse("user " + in_quotes(wish.user) + " is not known to the system: want a \"group\"");
    if (*uid == 0)
        refuse("want a user who is not root, found " + in_quotes(wish.user));
    Account account{.user = wish.user, .uid = *uid, .gid = 0, .groups = {}};
    const std::string name = entry != nullptr ? entry->pw_name : "";
    account.gid = wish.group ? group_number(*wish.group) : entry->pw_gid;
    if (wish.groups) {
        for (const std::string& each : *wish.groups)
            account.groups.push_back(group_number(each));
    } else if (!name.empty()) {
        account.groups = groups_of(name, account.gid);
    }
    return account;
}

void seal() {
    (void)::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    // Whoever may not has been given the smaller set that it has by somebody else.
    for (unsigned long capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0;
         ++capability)
        (void)::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
}

void become(const Account& account, Kept kept) {
    if (::geteuid() != 0) {
        check_is(account);
        return;
    }
    const Set wanted = kept.attach ? for_attaching : 0;
    if ((permitted() & wanted) != wanted)
        refuse("want CAP_SYS_ADMIN, to attach exports to this host's kernel, found a process "
               "without it");
    if (wanted != 0 && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        fail("keeping capabilities");
    change(account);
    (void)::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
    set(wanted);
    // As if that user had started it: what it dies of can be looked into, and its files in /proc
    // are its own.
    (void)::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

void give_up_starting_rights() {
    const Set now = permitted();
    if (::geteuid() != 0 && (now & for_starting) != 0)
        set(now & ~for_starting);
}

// Whoever owns the folder may put something else in the socket's place, so it is looked at, and
// given, as what was found.
void give_socket(const config::UnixAddress& address, const Account& account) {
    constexpr unsigned unchanged = static_cast<unsigned>(-1);
    const devices::FileDescriptor found(
        ::open(address.path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat is {};
    if (!found || ::fstat(found.get(), &is) != 0 || !S_ISSOCK(is.st_mode))
        refuse("want the socket " + in_quotes(address.path) + ", found it gone");
    if (::fchownat(found.get(), "", address.owner ? unchanged : account.uid,
                   address.group ? unchanged : account.gid, AT_EMPTY_PATH) != 0)
        fail("giving " + in_quotes(address.path) + " to user " + in_quotes(account.user));
}

} // namespace interposed::server::privileges
