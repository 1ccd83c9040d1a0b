#include "bench/socket.hpp"

#include "bench/wire.hpp"

#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace interposed::bench {

namespace {

// Large enough that a batch of the largest writes does not wait for the server's reader in the
// middle; a Unix socket's own default is about 200 KiB. TCP grows by itself, and would stop to
// if it were set.
constexpr int unix_send_buffer = 2 << 20;

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

template <typename Value>
void set_option(int fd, int level, int name, const Value& value) {
    if (::setsockopt(fd, level, name, &value, sizeof value) != 0)
        fail("setsockopt");
}

void set_up(int fd, std::chrono::seconds limit) {
    const timeval wait{.tv_sec = limit.count(), .tv_usec = 0};
    set_option(fd, SOL_SOCKET, SO_RCVTIMEO, wait);
    set_option(fd, SOL_SOCKET, SO_SNDTIMEO, wait);
    int family = 0;
    socklen_t size = sizeof family;
    ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    if (family == AF_UNIX)
        set_option(fd, SOL_SOCKET, SO_SNDBUF, unix_send_buffer);
    else
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

bool is_loopback(const addrinfo& to) {
    if (to.ai_family == AF_INET6) {
        const auto& name = reinterpret_cast<const sockaddr_in6&>(*to.ai_addr);
        return IN6_IS_ADDR_LOOPBACK(&name.sin6_addr);
    }
    const auto& name = reinterpret_cast<const sockaddr_in&>(*to.ai_addr);
    return to.ai_family == AF_INET && ntohl(name.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

Socket connect_unix(const std::string& path, std::chrono::seconds limit) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (path.size() >= sizeof name.sun_path)
        throw std::invalid_argument("socket path too long: \"" + path + "\"");
    std::memcpy(name.sun_path, path.c_str(), path.size() + 1);
    Socket made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), limit);
    if (::connect(made.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0)
        fail("connect to \"" + path + "\"");
    return made;
}

Socket connect_tcp(const Address& to, std::chrono::seconds limit) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (const int why = ::getaddrinfo(to.host.c_str(), to.port.c_str(), &hints, &found); why != 0)
        throw std::invalid_argument("address of \"" + to.host + "\" port \"" + to.port +
                                    "\": " + ::gai_strerror(why));
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
    for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
        Socket made(::socket(next->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), limit);
        if (is_loopback(*next))
            send_at_once(made.fd());
        if (::connect(made.fd(), next->ai_addr, next->ai_addrlen) == 0)
            return made;
    }
    fail("connect to \"" + to.host + "\" port \"" + to.port + "\"");
}

} // namespace

void send_at_once(int fd) {
    constexpr char algorithm[] = "reno";
    (void)::setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, algorithm, sizeof algorithm - 1);
}

Address parse_address(const std::string& text) {
    if (text.starts_with("unix:") && text.size() > 5)
        return {.tcp = false, .path = text.substr(5), .host = {}, .port = {}};
    const std::size_t colon = text.rfind(':');
    if (text.starts_with("tcp:") && colon > 4 && colon + 1 < text.size()) {
        std::string host = text.substr(4, colon - 4);
        if (host.starts_with('[') && host.ends_with(']'))
            host = host.substr(1, host.size() - 2);
        return {.tcp = true, .path = {}, .host = host, .port = text.substr(colon + 1)};
    }
    throw std::invalid_argument("address: want unix:/path or tcp:host:port, got \"" + text + "\"");
}

Socket::Socket(int descriptor, std::chrono::seconds limit) : fd_(descriptor), limit_(limit) {
    if (fd_ < 0)
        fail("socket");
    set_up(fd_, limit);
}

Socket Socket::connect(const Address& address, std::chrono::seconds limit) {
    return address.tcp ? connect_tcp(address, limit) : connect_unix(address.path, limit);
}

Socket& Socket::operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(limit_, other.limit_);
    std::swap(tls_, other.tls_);
    return *this;
}

Socket::~Socket() {
    if (fd_ >= 0)
        ::close(fd_);
}

ssize_t Socket::send(std::span<const iovec> pieces, bool wait) {
    if (tls_)
        return tls_->send(pieces, wait);
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return ::sendmsg(fd_, &message, MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
}

ssize_t Socket::receive(std::span<std::byte> room, bool wait) {
    if (tls_)
        return tls_->receive(room, wait);
    return ::recv(fd_, room.data(), room.size(), wait ? 0 : MSG_DONTWAIT);
}

void Socket::send_all(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
        const iovec piece{.iov_base = const_cast<std::byte*>(bytes.data()),
                          .iov_len = bytes.size()};
        const ssize_t sent = send({&piece, 1}, true);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            fail("send");
        bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
}

void Socket::receive_all(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t got = receive(bytes, true);
        if (got < 0 && errno == EINTR)
            continue;
        if (got == 0)
            throw ProtocolError("the server closed the connection during the handshake");
        if (got < 0)
            fail("receive during the handshake");
        bytes = bytes.subspan(static_cast<std::size_t>(got));
    }
}

} // namespace interposed::bench
