#include "server/listener.hpp"

#include "devices/file_descriptor.hpp"
#include "server/log.hpp"
#include "server/unix_socket.hpp"

#include <array>
#include <cerrno>
#include <netdb.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <system_error>

namespace interposed::server {

namespace {

using devices::FileDescriptor;

/// When there are no descriptors or no memory left, connections wait until some are free again.
constexpr std::chrono::milliseconds pause_when_exhausted{100};

std::string tcp_uri(const sockaddr* address, socklen_t length) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(address, length, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV);
    const bool v6 = address->sa_family == AF_INET6;
    return std::string("tcp://") + (v6 ? "[" : "") + host.data() + (v6 ? "]:" : ":") + port.data();
}

int bind_tcp(const addrinfo& address) {
    const std::string uri = tcp_uri(address.ai_addr, address.ai_addrlen);
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
        throw std::runtime_error("listen " + uri + ": " + std::generic_category().message(errno));
    return fd.release();
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

std::string bound_uri(int fd) {
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&raw), &length);
    return tcp_uri(reinterpret_cast<const sockaddr*>(&raw), length);
}

} // namespace

std::vector<std::unique_ptr<Listener>> Listener::open(asio::io_context& context,
                                                      const config::Listener& wish) {
    std::vector<std::unique_ptr<Listener>> open;
    if (wish.unix_socket) {
        const std::string& path = wish.unix_socket->path;
        const int fd = listen_on_unix_socket(*wish.unix_socket);
        open.emplace_back(new Listener(context, fd, "unix://" + path, path));
        return open;
    }
    const auto addresses = look_up(*wish.tcp);
    for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
        const int fd = bind_tcp(*each);
        open.emplace_back(new Listener(context, fd, bound_uri(fd), {}));
    }
    return open;
}

Listener::Listener(asio::io_context& context, int fd, std::string uri, std::string path)
    : socket_(context, fd), pause_(context), uri_(std::move(uri)), path_(std::move(path)) {}

Listener::~Listener() {
    close();
}

void Listener::close() {
    if (!socket_.is_open())
        return;
    pause_.cancel();
    const int fd = socket_.release();
    if (path_.empty())
        ::close(fd);
    else
        remove_unix_socket(path_, fd);
}

void Listener::start(Accepted accepted) {
    accepted_ = std::move(accepted);
    wait();
}

void Listener::wait() {
    socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                       [this](const std::error_code& closed) {
                           if (!closed)
                               accept_all();
                       });
}

void Listener::accept_all() {
    for (;;) {
        const int fd =
            ::accept4(socket_.native_handle(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            accepted_(fd);
            continue;
        }
        const bool exhausted =
            errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        if (exhausted) {
            log::warning(uri_ + ": cannot accept: " + std::generic_category().message(errno));
            pause_.expires_after(pause_when_exhausted);
            pause_.async_wait([this](const std::error_code& closed) {
                if (!closed)
                    wait();
            });
            return;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            wait();
            return;
        }
        // Any other error is that of the one connection, which has already gone.
    }
}

} // namespace interposed::server
