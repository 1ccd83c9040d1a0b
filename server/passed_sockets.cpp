#include "server/passed_sockets.hpp"

#include "config/quotes.hpp"
#include "server/tcp_socket.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <systemd/sd-daemon.h>

namespace interposed::server {

namespace {

/// What the library has allocated: an array of names, and each of them.
class Names {
public:
    Names() = default;
    ~Names() {
        for (char** each = all_; each != nullptr && *each != nullptr; ++each)
            std::free(*each);
        std::free(all_);
    }
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

    char*** into() { return &all_; }
    [[nodiscard]] const char* at(int i) const { return all_ == nullptr ? "unknown" : all_[i]; }

private:
    char** all_ = nullptr;
};

[[noreturn]] void refuse(const Passed& passed, const char* found) {
    throw std::runtime_error("socket " + config::in_quotes(passed.name) +
                             " that the service manager has passed: want a stream socket that is "
                             "listened on, found " +
                             found);
}

int option_of(const Passed& passed, int option) {
    int value = 0;
    socklen_t length = sizeof value;
    if (::getsockopt(passed.fd.get(), SOL_SOCKET, option, &value, &length) != 0)
        refuse(passed, errno == ENOTSOCK ? "no socket" : std::strerror(errno));
    return value;
}

std::string unix_address(const sockaddr_un& address, socklen_t length) {
    const std::size_t size = length - offsetof(sockaddr_un, sun_path);
    if (size == 0)
        return "unix://";
    if (address.sun_path[0] == '\0') // in the abstract namespace, as it is usually written
        return "unix:@" + config::escaped(std::string(address.sun_path + 1, size - 1));
    return "unix://" + std::string(address.sun_path, ::strnlen(address.sun_path, size));
}

} // namespace

std::vector<Passed> take_passed() {
    Names names;
    const int count = ::sd_listen_fds_with_names(1, names.into());
    if (count < 0)
        throw std::runtime_error(
            "LISTEN_FDS and LISTEN_FDNAMES: want the sockets that were passed, found " +
            std::generic_category().message(-count));
    std::vector<Passed> all;
    for (int i = 0; i < count; ++i)
        all.push_back({names.at(i), devices::FileDescriptor(SD_LISTEN_FDS_START + i)});
    return all;
}

std::string listening_address(const Passed& passed) {
    const int type = option_of(passed, SO_TYPE);
    if (type != SOCK_STREAM)
        refuse(passed, type == SOCK_DGRAM ? "a datagram socket" : "a socket of another type");
    if (option_of(passed, SO_ACCEPTCONN) == 0)
        refuse(passed, "one that is not (Accept=yes is for servers of one client each)");
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    if (::getsockname(passed.fd.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0)
        refuse(passed, std::strerror(errno));
    if (address.ss_family == AF_UNIX)
        return unix_address(reinterpret_cast<const sockaddr_un&>(address), length);
    if (address.ss_family == AF_INET || address.ss_family == AF_INET6)
        return "tcp://" + bound_address(passed.fd.get());
    refuse(passed, "a socket that is neither TCP's nor a Unix one");
}

bool is_meant(std::string_view name, const config::Listener& wish,
              const std::vector<config::Listener>& wishes) {
    if (!wish.systemd->empty())
        return name == *wish.systemd;
    return std::none_of(wishes.begin(), wishes.end(), [name](const config::Listener& other) {
        return other.systemd && !other.systemd->empty() && *other.systemd == name;
    });
}

} // namespace interposed::server
