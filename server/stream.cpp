#include "server/stream.hpp"

#include "server/peer.hpp"
#include "server/tcp_socket.hpp"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <vector>

namespace interposed::server {

namespace {

/// A client that writes a burst should find room for all of it, and so should our replies.
constexpr int socket_buffer = 2 << 20;

/// A peer that is told to leave and goes on sending is not listened to for ever. Bytes.
constexpr std::size_t most_discarded = std::size_t{64} << 20;

void set_option(int fd, int level, int option, int value) {
    // All of these are improvements: a socket that refuses one still works.
    (void)::setsockopt(fd, level, option, &value, sizeof value);
}

Stream::Moved moved(ssize_t result) {
    if (result > 0)
        return {.bytes = static_cast<std::size_t>(result)};
    if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return {.would_wait = true};
    if (result < 0 && errno == EFAULT)
        return {.ended = true, .faulted = true};
    return {.ended = true};
}

msghdr message(std::span<const iovec> parts) {
    msghdr header{};
    header.msg_iov = const_cast<iovec*>(parts.data());
    header.msg_iovlen = parts.size();
    return header;
}

/// Half of the time for silence, the rest for asking.
void keep_alive(int fd, int seconds) {
    constexpr int asked = 3;
    const int idle = std::max(seconds / 2, 1);
    const int interval = std::max((seconds - idle) / asked, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, interval);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, asked);
}

} // namespace

SocketStream::SocketStream(Socket socket, std::chrono::seconds keepalive)
    : socket_(std::move(socket)) {
    socket_.native_non_blocking(true);
    const int fd = socket_.native_handle();
    int family = AF_UNSPEC;
    socklen_t length = sizeof family;
    (void)::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length);
    if (family == AF_INET || family == AF_INET6) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        if (is_of_this_host(fd))
            send_at_once(fd);
        is_tcp_ = true;
        keep_alive(fd, static_cast<int>(keepalive.count()));
        return; // the kernel tunes the buffers of TCP by itself, and better
    }
    set_option(fd, SOL_SOCKET, SO_SNDBUF, socket_buffer);
    set_option(fd, SOL_SOCKET, SO_RCVBUF, socket_buffer);
}

Stream::Moved SocketStream::receive(std::span<const iovec> into) {
    if (!receiving_)
        return {.ended = true};
    msghdr header = message(into);
    return moved(::recvmsg(socket_.native_handle(), &header, MSG_DONTWAIT));
}

Stream::Moved SocketStream::send(std::span<const iovec> from, bool more) {
    const msghdr header = message(from);
    return moved(::sendmsg(socket_.native_handle(), &header,
                           MSG_DONTWAIT | MSG_NOSIGNAL | (more ? MSG_MORE : 0)));
}

// The socket itself is non-blocking, which is what sendfile() goes by.
Stream::Moved SocketStream::send_file(int fd, std::uint64_t offset, std::size_t length) {
    auto at = static_cast<off_t>(offset);
    return moved(::sendfile(socket_.native_handle(), fd, &at, length));
}

Stream::Moved SocketStream::splice(int pipe, std::size_t length) {
    if (!receiving_)
        return {.ended = true};
    return moved(::splice(socket_.native_handle(), nullptr, pipe, nullptr, length,
                          SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

bool SocketStream::has_received() const {
    pollfd asked{.fd = const_cast<Socket&>(socket_).native_handle(),
                 .events = POLLIN | POLLRDHUP,
                 .revents = 0};
    return ::poll(&asked, 1, 0) > 0;
}

asio::awaitable<void> SocketStream::readable() {
    std::error_code closed; // then receive() says so
    co_await socket_.async_wait(Socket::wait_read,
                                asio::redirect_error(asio::use_awaitable, closed));
}

asio::awaitable<void> SocketStream::writable() {
    std::error_code closed; // then send() says so
    co_await socket_.async_wait(Socket::wait_write,
                                asio::redirect_error(asio::use_awaitable, closed));
}

// Keepalive is for idle connections; where something was sent, the kernel sends it again for a
// quarter of an hour. TCP_USER_TIMEOUT would shorten that, but also end a peer that only does not
// read: its host still answers when it is asked for room.
std::chrono::milliseconds SocketStream::unanswered_for() const {
    tcp_info info{};
    socklen_t length = sizeof info;
    if (!is_tcp_ || ::getsockopt(const_cast<Socket&>(socket_).native_handle(), IPPROTO_TCP,
                                 TCP_INFO, &info, &length) != 0)
        return {};
    const bool owes = info.tcpi_unacked > 0 || info.tcpi_probes > 0;
    return std::chrono::milliseconds(owes ? info.tcpi_last_ack_recv : 0);
}

void SocketStream::interrupt() {
    std::error_code ignored;
    socket_.cancel(ignored);
}

int SocketStream::release() {
    receiving_ = false;
    std::error_code failed;
    const int fd = socket_.is_open() ? socket_.release(failed) : -1;
    return failed ? -1 : fd;
}

void SocketStream::stop_receiving() {
    receiving_ = false;
    std::error_code ignored;
    socket_.cancel(ignored);
}

asio::awaitable<void> SocketStream::finish() {
    if (!socket_.is_open())
        co_return;
    (void)::shutdown(socket_.native_handle(), SHUT_WR);
    receiving_ = true;
    std::vector<std::byte> scrap(std::size_t{64} << 10);
    for (std::size_t gone = 0; socket_.is_open() && gone < most_discarded;) {
        const iovec into{.iov_base = scrap.data(), .iov_len = scrap.size()};
        const Moved moved = receive(std::span(&into, 1));
        if (moved.ended)
            co_return;
        gone += moved.bytes;
        if (moved.would_wait)
            co_await readable();
    }
}

void SocketStream::close() {
    receiving_ = false;
    std::error_code ignored;
    socket_.close(ignored);
}

} // namespace interposed::server
