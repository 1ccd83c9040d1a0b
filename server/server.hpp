#pragma once

#include "devices/held_descriptor.hpp"
#include "devices/registry.hpp"
#include "server/connection.hpp"
#include "server/events.hpp"
#include "server/export_set.hpp"
#include "server/listener.hpp"
#include "server/loop.hpp"
#include "server/passed_sockets.hpp"
#include "server/report.hpp"
#include "server/resolve.hpp"
#include "server/watchdog.hpp"

#include <asio/io_context.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <asio/thread_pool.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
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
        std::vector<Passed> passed{}; ///< for listeners that are the service manager's
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

    // For who changes it while it runs: on the thread that calls run(), or before, unless it says
    // otherwise.

    /// The server's own thread runs this; it must never wait for a device there.
    asio::io_context& context() { return control_; }
    /// Nothing is to be begun any more.
    [[nodiscard]] bool stopping() const { return signals_seen_ > 0; }
    /// From any thread.
    ExportSet& exports() { return *exports_; }

    /// Claims the devices of an export: see open_export(). From any thread; may wait.
    std::shared_ptr<const Export> open(const ResolvedExport& resolved, const Export* before);
    /// See with_terms(). From any thread. The first is for clients that stay the same.
    std::shared_ptr<const Export> on_terms(const Export& before, const config::Export& source);
    std::shared_ptr<const Export> on_terms(const Export& before, const ResolvedExport& after);
    /// Another claim for its devices, shared or adopted, ready to be applied: see
    /// devices::Registry::prepare_claims(). From any thread; may wait.
    std::unique_ptr<devices::Registry::ClaimChange> prepare_claims(const Export& of,
                                                                   config::Claim claim);
    /// Adds exports and takes others away, all at once. These take no new clients any more; those
    /// they have are not touched.
    void change_exports(const ExportSet::List& added, const ExportSet::List& removed);

    /// Called for SIGHUP, and when a stop begins.
    void on_hangup(std::function<void()> reload) { reload_ = std::move(reload); }
    void on_stop(std::function<void()> stopping) { stopping_ = std::move(stopping); }
    /// Called later in a stop: it is time for this host's kernel to leave. It is served until other
    /// clients have left, or been given up: a whole host may wait for what it waits for.
    void on_stop_of_kernel(std::function<void()> leave) { kernel_leaves_ = std::move(leave); }
    /// Called once everything runs; "ready" is told when `then` is called. Without it: at once.
    using Then = std::function<void()>;
    void on_start(std::function<void(Then then)> starting) { starting_ = std::move(starting); }
    void on_event(EventSink sink) { event_sink_ = std::move(sink); }
    /// From any thread.
    void tell(ServerEvent event);

    /// Binds what is new of these. Throws as Listener::open does, and has then bound nothing. What
    /// it returns is put to use by listen().
    using Listeners = std::vector<std::unique_ptr<Listener>>;
    Listeners bind(const std::vector<ResolvedListener>& wishes);
    /// Starts these, gives the ones there are the rules that are wished for, and ends those that
    /// are not wished for any more. Returns the addresses of those ended.
    std::vector<std::string> listen(const std::vector<ResolvedListener>& wishes, Listeners added);

    /// Rules have changed: who may not stay goes, and who may only read does not write any more.
    /// `held` is called, on any thread, once that is so of all clients.
    void apply_rules(std::function<void()> held);

    /// For clients that come from now on. Null: none of them can have TLS.
    void set_tls(std::shared_ptr<const TlsContext> tls) { tls_ = std::move(tls); }
    [[nodiscard]] bool has_tls() const { return tls_ != nullptr; }

    void set_limits(const config::Limits& limits);

    /// Serves a client that needs no handshake: this host's kernel, at the other end of a socket
    /// pair. It does not count towards the limits on connections. `left` is called on the server's
    /// thread when it has gone and nothing is in flight for it. Throws where there is no memory for
    /// it.
    std::shared_ptr<Connection> serve_kernel(HandedSocket socket, Peer peer,
                                             std::string export_name,
                                             std::function<void(Departure how)> left);
    /// Keeps an open file description for as long as any I/O of this process, begun from now on, is
    /// in the kernel: devices::Engine::hold(). Until it is destroyed.
    [[nodiscard]] std::unique_ptr<devices::HeldDescriptor> hold_with_requests(int fd);

    [[nodiscard]] std::vector<std::shared_ptr<Connection>> connections() const;
    /// "serving 2 exports at tcp://127.0.0.1:10809", for who manages this service.
    [[nodiscard]] std::string summary() const;

    /// From any thread.
    [[nodiscard]] ServerReport report() const;

private:
    void open_exports(const Resolved& resolved);
    std::shared_ptr<const Export> owned(std::unique_ptr<Export> made);
    void flush_failed(const devices::DeviceInfo& device, int error);
    void share_memory();
    void adopt_passed(const ResolvedListener& wanted, const std::vector<config::Listener>& wishes,
                      Listeners& into);
    void check_kept(const std::vector<config::Listener>& wishes) const;
    void check_none_left() const;
    void start(Listener& listener);
    void accepted(int fd, const Listener& listener);
    bool may_enter(const Peer& peer, const Listener& listener);
    bool admits(const Peer& peer);
    void left(const Peer& peer);
    std::shared_ptr<Connection> connect(devices::FileDescriptor socket, Peer peer,
                                        std::shared_ptr<const ListenerRules> entrance);
    void serve(const std::shared_ptr<Connection>& connection);
    void ended(std::uint64_t id);
    void watch_memory();
    void watch_for_lost();
    bool memory_was_short();
    void wait_for_signal();
    void take_signal(int signal);
    void stop();
    void stop_kernel();
    void abort();
    void end_if_done();

    /// Any thread may read them.
    struct Counters {
        std::atomic<std::uint64_t> connections{0};
        std::atomic<std::uint64_t> accepted{0};
        std::atomic<std::uint64_t> turned_away{0};
        std::atomic<std::uint64_t> handshake_failures{0};
    };

    const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
    asio::io_context control_;
    asio::signal_set signals_;
    asio::steady_timer drain_timer_;
    devices::Registry registry_;
    config::Limits limits_;
    ClientLimits client_limits_;
    asio::thread_pool closing_; ///< closes devices, which may take its time
    Loops loops_;               ///< before the exports: engines outlive the devices that used them
    Watchdog watchdog_;
    std::unique_ptr<ExportSet> exports_;
    std::vector<Passed> passed_; ///< and not listened on yet
    Listeners listeners_;
    std::shared_ptr<const TlsContext> tls_;
    std::map<std::uint64_t, std::shared_ptr<Connection>> connections_;
    std::uint64_t next_id_ = 1;
    std::map<std::string, std::uint32_t> connections_of_; ///< by Peer::client
    asio::steady_timer memory_timer_;
    std::chrono::steady_clock::time_point last_refusal_{}; ///< that was told in the log
    std::chrono::steady_clock::time_point lost_watched_{};
    unsigned signals_seen_ = 0;
    bool kernel_stopped_ = false;
    bool running_ = false;
    Counters counters_;
    std::function<void(Then)> starting_;
    std::function<void()> reload_;
    std::function<void()> stopping_;
    std::function<void()> kernel_leaves_;
    EventSink event_sink_;
};

} // namespace interposed::server
