#pragma once

#include "config/config.hpp"
#include "server/access.hpp"
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
                                                       const config::Listener& wish,
                                                       const AccessPointer& rules);
    /// Listens on what the service manager has opened. A Unix socket's file stays when it is
    /// closed: it is the manager's. Throws std::runtime_error that names the socket and what was
    /// found.
    static std::unique_ptr<Listener> adopt(asio::io_context& context, const config::Listener& wish,
                                           const AccessPointer& rules, Passed passed);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// For people and for the log: "tcp://127.0.0.1:10809", "unix:///run/x.sock".
    [[nodiscard]] const std::string& uri() const { return uri_; }

    /// What it was opened for.
    [[nodiscard]] const config::Listener& wish() const { return wish_; }
    /// Other rules for those who come, and those who have come. The socket stays as it is.
    void set_wish(const config::Listener& wish, AccessPointer rules);
    [[nodiscard]] const std::shared_ptr<ListenerRules>& rules() const { return rules_; }

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
    const std::shared_ptr<ListenerRules> rules_ = std::make_shared<ListenerRules>();
    std::string path_; ///< of a Unix socket; else empty
    Accepted accepted_;
};

} // namespace interposed::server
