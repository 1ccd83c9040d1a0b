#pragma once

#include "devices/file_descriptor.hpp"
#include "server/export_set.hpp"
#include "server/live_export.hpp"
#include "server/log.hpp"
#include "server/loop.hpp"
#include "server/peer.hpp"
#include "server/session.hpp"
#include "server/stream.hpp"
#include "server/tls_context.hpp"

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace interposed::server {

/// A connected socket between two requests, and what was received of the next one.
struct HandedSocket {
    devices::FileDescriptor fd;
    std::vector<std::byte> unread;
};

/// How a client has left.
struct Departure {
    bool goodbye = false;               ///< it has said so
    std::optional<HandedSocket> handed; ///< it has not, and hand_over() was called
};

/// One client from accept to close: the handshake with its deadline, then a Session, then a line
/// in the log. Runs on a strand of its loop; stop() and abort() may be called from any thread.
/// Owned by a shared_ptr: what they post, and the deadline, may come when it is gone.
class Connection final : public Guest, public std::enable_shared_from_this<Connection> {
public:
    /// For a client to leave after it was told that nothing more comes.
    static constexpr std::chrono::seconds leave_deadline{2};
    /// For one that may not stay to take the answers to what was accepted of it.
    static constexpr std::chrono::seconds turn_out_deadline{10};

    /// `entrance` are the rules of the listener that the client came through; null: it has none.
    Connection(std::uint64_t id, std::unique_ptr<Stream> stream, Peer peer, Loop& loop,
               const ExportSet& exports,
               std::shared_ptr<const ListenerRules> entrance = nullptr);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    [[nodiscard]] const Session::Strand& strand() const { return strand_; }

    /// Called on the strand when the client has chosen an export. Set it before run().
    void on_chosen(std::function<void(const std::string& export_name)> chosen) {
        chosen_ = std::move(chosen);
    }

    /// There is no handshake: the client, this host's kernel, knows all that it would be told, and
    /// speaks of this export from its first byte on. Set it before run().
    /// `received` is what it has sent already.
    void skip_handshake(std::string export_name, std::vector<std::byte> received) {
        agreed_on_ = std::move(export_name);
        received_ = std::move(received);
    }
    /// Over which TLS a client may come in, or must. Set it before run().
    void speak_tls(std::shared_ptr<const TlsContext> context, Security security) {
        tls_ = std::move(context);
        security_ = security;
    }
    [[nodiscard]] bool is_for_kernel() const { return agreed_on_.has_value(); }
    /// Called when run() has returned, by who called it.
    void on_left(std::function<void(Departure how)> left) { left_ = std::move(left); }
    void tell_left();
    /// Ends after what was accepted, and leaves the socket open for somebody else to go on with.
    void hand_over() { end(&Session::hand_over); }

    /// Returns when the client has gone and nothing is in flight for it. Throws nothing.
    asio::awaitable<void> run();

    /// Finishes what was accepted, then ends. In the handshake: ends.
    void stop();
    /// Gives the client up.
    void abort();
    /// Gives the client up if it holds memory and nothing has moved for a while.
    void end_if_stalled();

    /// Gives the client up if the network has not brought its host's answer for so long.
    void end_if_lost(std::chrono::milliseconds patience);

    /// Rules have changed. A client that may not use its export any more is turned out: what was
    /// accepted of it is finished. One that may only read does not write from now on; who may do
    /// more than before has to connect again. `done` is called when that is so, or never, and is
    /// let go of in any case. From any thread.
    void apply_rules(std::function<void()> done);

    /// Logs each request, or does not any more. From any thread.
    void trace(bool on);
    [[nodiscard]] bool tracing() const { return tracing_; }

    // As a guest of its export.
    void hold(std::function<void()> quiet) override;
    void go_on(std::shared_ptr<const Export> now, std::function<void()> went_on) override;
    [[nodiscard]] std::string description() const override { return name_; }
    [[nodiscard]] std::uint64_t in_flight() const override;

    [[nodiscard]] const Peer& peer() const { return peer_; }
    [[nodiscard]] std::uint64_t id() const { return id_; }

    /// What can be told of it at any time, from any thread.
    struct Status {
        std::string export_name; ///< empty, and no framing: still in the handshake
        std::optional<protocol::Framing> framing;
        std::string tls; ///< "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty: none
        bool read_only = false; ///< for this client at least
        std::chrono::system_clock::time_point since;
        std::uint64_t requests = 0;
        std::uint64_t errors = 0;
        std::uint64_t bytes_read = 0;
        std::uint64_t bytes_written = 0;
        std::uint64_t in_flight = 0;
    };
    [[nodiscard]] Status status() const;

private:
    asio::awaitable<void> serve();
    asio::awaitable<void> take_leave();
    void end(void (Session::*how)());
    void close_in(std::chrono::seconds patience);
    asio::awaitable<std::optional<Agreement>> shake_hands_in_time();
    asio::awaitable<std::optional<Agreement>> shake_hands();
    asio::awaitable<void> start_tls();
    Agreement take_agreed_place();
    void take_rules(const Export& served);
    void turn_out();
    void log_end(std::string_view how) const;

    const std::uint64_t id_;
    const std::string name_;
    Peer peer_; ///< on the strand, until there is a session; only `tls` and `encrypted` change
    const std::chrono::system_clock::time_point since_ = std::chrono::system_clock::now();
    std::unique_ptr<Stream> stream_;
    Loop& loop_;
    Session::Strand strand_;
    PeerCatalog catalog_;
    asio::steady_timer deadline_;
    std::function<void(const std::string&)> chosen_;
    std::function<void(Departure)> left_;
    std::optional<HandedSocket> handed_;
    std::vector<std::byte> received_;
    std::shared_ptr<const TlsContext> tls_; ///< null: none
    Security security_ = Security::none;
    std::optional<std::string> agreed_on_; ///< an export
    std::atomic<bool> tracing_{false};
    std::atomic<bool> read_only_{false};
    bool deadline_passed_ = false;
    bool stopping_ = false;
    bool turned_out_ = false;
    bool ended_ = false;       ///< the session is over, and its export may be closed
    mutable std::mutex mutex_; ///< of those below, which status() reads; others only on the strand
    std::string tls_description_;
    std::string export_name_;
    std::unique_ptr<Session> session_;
};

} // namespace interposed::server
