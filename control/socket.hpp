#pragma once

#include "config/config.hpp"
#include "control/methods.hpp"
#include "server/peer.hpp"

#include <asio/awaitable.hpp>
#include <asio/local/stream_protocol.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <sys/types.h>

namespace interposed::control {

/// The control socket: lets in who may, takes a request a line, and answers each with a line.
/// However many, slow or rude those are who come: clients of exports do not notice. On the
/// server's own thread.
class ControlSocket {
public:
    /// Of a request; what is longer than the first is read for one connection at a time.
    static constexpr std::size_t usual_line = std::size_t{1} << 20;
    static constexpr std::size_t longest_line = std::size_t{64} << 20;
    static constexpr std::size_t max_connections = 64;
    /// Of one connection, that are not answered yet; more are refused.
    static constexpr std::size_t max_requests = 16;
    static constexpr std::size_t max_answers = 256; ///< that it does not take
    /// A request that has begun has to end, and an answer has to be taken, within that.
    static constexpr std::chrono::seconds patience{30};

    /// Binds. Throws std::runtime_error that names the path, what was wanted and what was found.
    ControlSocket(asio::io_context& context, const config::Control& control, Methods& methods);
    ~ControlSocket();
    ControlSocket(const ControlSocket&) = delete;
    ControlSocket& operator=(const ControlSocket&) = delete;

    void start();
    /// Closes the socket and every connection, whatever they wait for.
    void close();

private:
    using Socket = asio::local::stream_protocol::socket;
    class Connection;

    asio::awaitable<void> accept_all();
    void serve(Socket socket);
    [[nodiscard]] bool may(const server::Credentials& peer) const;

    asio::io_context& context_;
    asio::local::stream_protocol::acceptor acceptor_;
    const std::string path_;
    std::set<uid_t> users_;
    std::set<gid_t> groups_;
    Methods& methods_;
    std::set<std::shared_ptr<Connection>> connections_;
    bool long_line_ = false; ///< one is being read or answered
};

} // namespace interposed::control
