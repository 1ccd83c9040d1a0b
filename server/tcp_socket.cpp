#include "server/tcp_socket.hpp"

#include <array>
#include <cerrno>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <system_error>

namespace interposed::server {

namespace {

using devices::FileDescriptor;

std::string address_text(const sockaddr* address, socklen_t length) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV);
    const bool v6 = address->sa_family == AF_INET6;
    return std::string(v6 ? "[" : "") + host.data() + (v6 ? "]:" : ":") + port.data();
}

FileDescriptor bind_tcp(const addrinfo& address) {
    const std::string text = address_text(address.ai_addr, address.ai_addrlen);
    FileDescriptor fd(::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int yes = 1;
    if (fd.get() >= 0) {
        (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        // An address for IPv4 is listed by itself where it is wanted.
        if (address.ai_family == AF_INET6)
            (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    }
    if (fd.get() < 0 || ::bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 ||
        ::listen(fd.get(), SOMAXCONN) != 0)
        throw std::runtime_error("listen tcp://" + text + ": " +
                                 std::generic_category().message(errno));
    return fd;
}

std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> look_up(const config::TcpAddress& address) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE;
    addrinfo* found = nullptr;
    const int error =
        ::getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
    if (error != 0)
        throw std::runtime_error("listen tcp://" + address.host + ": want an address, found \"" +
                                 ::gai_strerror(error) + "\"");
    return {found, &::freeaddrinfo};
}
} // namespace

std::vector<TcpSocket> listen_on_tcp(const config::TcpAddress& address) {
    std::vector<TcpSocket> open;
    const auto addresses = look_up(address);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
        FileDescriptor fd = bind_tcp(*each);
        std::string bound = bound_address(fd.get());
        open.push_back({std::move(fd), std::move(bound)});
    }
    return open;
}

void send_at_once(int fd) {
    constexpr std::string_view algorithm = "reno"; // is in every kernel, and open to every user
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm.data(), algorithm.size());
}

std::string bound_address(int fd) {
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length);
    return address_text(reinterpret_cast<const sockaddr*>(&raw), length);
}

} // namespace interposed::server
