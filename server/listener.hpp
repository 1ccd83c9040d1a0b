#pragma once

#include "config/config.hpp"
#include "server/passed_sockets.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace interposed::server {

/// A bound socket that is listened on. The file of a Unix socket is removed with it. Runs on one
/// io_context's thread.
class Listener {
public:
    /// Takes an accepted, non-blocking socket, and owns it from then on.
    using Accepted = std::function<void(int fd)>;

    /// Binds and listens: one for each address that a TCP listener's host has. Throws
    /// std::runtime_error that names the address, what was wanted and what was found.
    static std::vector<std::unique_ptr<Listener>> open(asio::io_context& context,
                                                       const config::Listener& wish);
    /// Listens on what the service manager has opened. A Unix socket's file stays when it is
    /// closed: it is the manager's. Throws std::runtime_error that names the socket and what was
    /// found.
    static std::unique_ptr<Listener> adopt(asio::io_context& context, const config::Listener& wish,
                                           Passed passed);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// For people and for the log: "tcp://127.0.0.1:10809", "unix:///run/x.sock".
    [[nodiscard]] const std::string& uri() const { return uri_; }

    /// What it was opened for.
    [[nodiscard]] const config::Listener& wish() const { return wish_; }
    /// Whether it is where the wish wants one, and its file is as that says.
    [[nodiscard]] bool is_for(const config::Listener& wish) const;
    /// What else is said of it, from the next client on.
    void serve_as(const config::Listener& wish) { wish_ = wish; }

    void start(Accepted accepted);
    void close();

private:
    Listener(asio::io_context& context, int fd, std::string uri, std::string path);
    void wait();
    void accept_all();

    asio::posix::stream_descriptor socket_;
    asio::steady_timer pause_;
    std::string uri_;
    config::Listener wish_;
    std::string path_; ///< of a Unix socket; else empty
    Accepted accepted_;
};

} // namespace interposed::server
