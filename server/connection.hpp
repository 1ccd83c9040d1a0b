#pragma once

#include "server/export_set.hpp"
#include "server/loop.hpp"
#include "server/peer.hpp"
#include "server/session.hpp"
#include "server/stream.hpp"

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace interposed::server {

/// One client from accept to close: the handshake with its deadline, then a Session, then a line
/// in the log. Runs on a strand of its loop; stop() and abort() may be called from any thread.
/// Owned by a shared_ptr: what they post, and the deadline, may come when it is gone.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    /// For a client to leave after it was told that nothing more comes.
    static constexpr std::chrono::seconds leave_deadline{2};

    Connection(std::uint64_t id, std::unique_ptr<Stream> stream, Peer peer, Loop& loop,
               const ExportSet& exports);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] const Session::Strand& strand() const { return strand_; }

    /// Returns when the client has gone and nothing is in flight for it. Throws nothing.
    asio::awaitable<void> run();

    /// Finishes what was accepted, then ends. In the handshake: ends.
    void stop();
    /// Gives the client up.
    void abort();
    /// Gives the client up if it holds memory and nothing has moved for a while.
    void end_if_stalled();

    [[nodiscard]] const Peer& peer() const { return peer_; }

private:
    asio::awaitable<void> serve();
    asio::awaitable<void> take_leave();
    void end(void (Session::*how)());
    void close_in(std::chrono::seconds patience);
    asio::awaitable<std::optional<Agreement>> shake_hands_in_time();
    void log_end(std::string_view how) const;

    const std::string name_;
    const Peer peer_;
    std::unique_ptr<Stream> stream_;
    Loop& loop_;
    Session::Strand strand_;
    PeerCatalog catalog_;
    asio::steady_timer deadline_;
    bool deadline_passed_ = false;
    bool stopping_ = false;
    std::string export_name_;
    std::unique_ptr<Session> session_;
};

} // namespace interposed::server
