#pragma once

#include "devices/registry.hpp"
#include "server/connection.hpp"
#include "server/export_set.hpp"
#include "server/listener.hpp"
#include "server/loop.hpp"
#include "server/resolve.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace interposed::server {

/// Owns everything: devices, exports, listeners, loops and connections. Its own state is touched
/// only on the thread that calls run(), which never waits for a device.
class Server {
public:
    struct Options {
        unsigned loops = 0; ///< 0: one for each core
        devices::Engine::Ring ring = devices::Engine::Ring::if_possible;
    };

    /// How often it is seen whether somebody waits for memory that a client has come to a halt
    /// with.
    static constexpr std::chrono::seconds memory_watch{1};
    /// Clients that are turned away are told of this often.
    static constexpr std::chrono::seconds refusal_interval{1};
    /// After this long of waiting for requests in flight, a graceful stop gives their clients up.
    static constexpr std::chrono::seconds drain_deadline{30};

    /// Claims every device and binds every listener, or throws and has done neither.
    Server(const config::Configuration& configuration, const Resolved& resolved, Options options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    /// Serves until SIGTERM or SIGINT, then until every accepted request is answered. A second
    /// signal gives the clients up, a third the process.
    void run();

private:
    void open_exports(const Resolved& resolved);
    void accepted(int fd);
    bool admits(const Peer& peer);
    void left(const Peer& peer);
    void serve(int accepted, Peer peer);
    void watch_memory();
    bool memory_was_short();
    void wait_for_signal();
    void stop();
    void abort();
    void end_if_done();

    asio::io_context control_;
    asio::signal_set signals_;
    asio::steady_timer drain_timer_;
    devices::Registry registry_;
    const config::Limits limits_;
    ClientLimits client_limits_;
    Loops loops_; ///< before the exports: engines outlive the devices that used them
    std::unique_ptr<ExportSet> exports_;
    std::vector<std::unique_ptr<Listener>> listeners_;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    std::uint64_t next_id_ = 1;
    std::map<std::string, std::uint32_t> connections_of_; ///< by Peer::client
    asio::steady_timer memory_timer_;
    std::chrono::steady_clock::time_point last_refusal_{}; ///< that was told in the log
    unsigned signals_seen_ = 0;
};

} // namespace interposed::server
