#include "server/listener.hpp"

#include "server/log.hpp"
#include "server/peer.hpp"
#include "server/tcp_socket.hpp"
#include "server/unix_socket.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/socket.h>
#include <system_error>

namespace interposed::server {

namespace {

/// When there are no descriptors or no memory left, connections wait until some are free again.
constexpr std::chrono::milliseconds pause_when_exhausted{100};

} // namespace

std::vector<std::unique_ptr<Listener>> Listener::open(asio::io_context& context,
                                                      const config::Listener& wish,
                                                      const AccessPointer& rules) {
    std::vector<std::unique_ptr<Listener>> open;
    if (wish.unix_socket) {
        const std::string& path = wish.unix_socket->path;
        const int fd = listen_on_unix_socket(*wish.unix_socket);
        open.emplace_back(new Listener(context, fd, "unix://" + path, path));
        open.back()->set_wish(wish, rules);
        return open;
    }
    for (TcpSocket& each : listen_on_tcp(*wish.tcp)) {
        open.emplace_back(new Listener(context, each.fd.release(), "tcp://" + each.address, {}));
        open.back()->set_wish(wish, rules);
    }
    return open;
}

std::unique_ptr<Listener> Listener::adopt(asio::io_context& context, const config::Listener& wish,
                                          const AccessPointer& rules, Passed passed) {
    std::string address = listening_address(passed);
    const int flags = ::fcntl(passed.fd.get(), F_GETFL);
    if (flags < 0 || ::fcntl(passed.fd.get(), F_SETFL, flags | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "listen " + to_string(wish));
    std::unique_ptr<Listener> made(
        new Listener(context, passed.fd.release(), std::move(address), {}));
    made->set_wish(wish, rules);
    return made;
}

Listener::Listener(asio::io_context& context, int fd, std::string uri, std::string path)
    : socket_(context, fd), pause_(context), uri_(std::move(uri)), path_(std::move(path)) {
    if (is_on_loopback(fd))
        send_at_once(fd);
}

Listener::~Listener() {
    close();
}

void Listener::set_wish(const config::Listener& wish, AccessPointer rules) {
    wish_ = wish;
    rules_->set(std::move(rules));
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
