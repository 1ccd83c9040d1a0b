#include "server/server.hpp"

#include "devices/device.hpp"
#include "server/log.hpp"
#include "server/open_export.hpp"
#include "server/service.hpp"

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <csignal>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace interposed::server {

namespace {

/// Whether one that listens for the first serves the second: rules apart, which can change.
bool is_same_socket(const config::Listener& a, const config::Listener& b) {
    return a.tcp == b.tcp && a.unix_socket == b.unix_socket && a.systemd == b.systemd;
}

unsigned loops_for(const Server::Options& options) {
    return options.loops > 0 ? options.loops : std::max(1U, std::thread::hardware_concurrency());
}

Security security_of(const config::Listener& listener, const TlsContext* tls) {
    if (tls == nullptr)
        return Security::none;
    switch (listener.tls.value_or(tls->terms().mode)) {
    case config::TlsMode::off:
        return Security::none;
    case config::TlsMode::offer:
        return Security::offered;
    case config::TlsMode::require:
        return Security::required;
    }
    return Security::required;
}

} // namespace

Server::Server(const config::Configuration& configuration, const Resolved& resolved,
               Options options)
    : signals_(control_, SIGINT, SIGTERM, SIGHUP), drain_timer_(control_),
      limits_(configuration.limits), client_limits_{.memory = MemoryBudget(limits_.memory),
                                                    .handshake_timeout = std::chrono::seconds(
                                                        limits_.handshake_timeout_s)},
      closing_(1), loops_(loops_for(options), options.ring, client_limits_),
      watchdog_(control_, loops_), tls_(resolved.tls), memory_timer_(control_) {
    passed_ = std::move(options.passed);
    open_exports(resolved);
    listeners_ = bind(resolved.listeners);
    check_none_left();
}

// Engines outlive the devices that used them, and these are closed on a thread of their own.
Server::~Server() {
    loops_.stop();
    connections_.clear();
    exports_.reset();
    closing_.join();
}

void Server::open_exports(const Resolved& resolved) {
    registry_.on_flush_failed(
        [this](const devices::DeviceInfo& device, int error) { flush_failed(device, error); });
    std::vector<std::shared_ptr<const Export>> open;
    for (const ResolvedExport& each : resolved.exports) {
        if (each.disabled_because.empty())
            open.push_back(this->open(each, nullptr));
    }
    exports_ = std::make_unique<ExportSet>(std::move(open));
    share_memory();
}

std::shared_ptr<const Export> Server::open(const ResolvedExport& resolved, const Export* before) {
    return owned(
        open_export(registry_, resolved, before, client_limits_.memory.total(), loops_.count()));
}

std::shared_ptr<const Export> Server::on_terms(const Export& before, const config::Export& source) {
    return owned(with_terms(before, source, before.access));
}

std::shared_ptr<const Export> Server::on_terms(const Export& before, const ResolvedExport& after) {
    return owned(with_terms(before, *after.source, after.access));
}

std::unique_ptr<devices::Registry::ClaimChange> Server::prepare_claims(const Export& of,
                                                                       config::Claim claim) {
    return registry_.prepare_claims(of.opened, claim_mode(claim), of.name);
}

/// The last to let go of an export may be a thread that must not wait for its devices.
std::shared_ptr<const Export> Server::owned(std::unique_ptr<Export> made) {
    made->farewell = std::make_shared<Farewell>();
    return {made.release(), [this](const Export* last) {
                asio::post(closing_, [mine = std::unique_ptr<const Export>(last)]() mutable {
                    const auto farewell = mine->farewell;
                    mine.reset();
                    farewell->closed();
                });
            }};
}

void Server::change_exports(const ExportSet::List& added, const ExportSet::List& removed) {
    for (const auto& each : removed)
        each->drain(true);
    exports_->change(added, removed);
    share_memory();
    if (running_ && !stopping())
        service::status(summary());
}

/// On whatever thread.
void Server::flush_failed(const devices::DeviceInfo& device, int error) {
    const std::string what =
        "device \"" + device.path + "\": flush failed: " + std::generic_category().message(error);
    log::error(what + ": data may be lost; every further flush will fail until it is reopened",
               {.device = device.path});
    asio::post(control_, [this, identity = device.identity, what] {
        for (const auto& live : exports_->all()) {
            const auto now = live->now();
            const bool uses_it =
                std::any_of(now->opened.begin(), now->opened.end(),
                            [&](const auto& each) { return each->info().identity == identity; });
            if (uses_it)
                tell({EventKind::flush_error, now->name, what});
        }
    });
}

/// One export that is stuck leaves half to the others, if there are any.
void Server::share_memory() {
    const auto all = exports_->all();
    for (const auto& each : all)
        each->now()->memory->set_total(all.size() > 1 ? limits_.memory / 2 : limits_.memory);
}

void Server::run() {
    loops_.start();
    wait_for_signal();
    watch_memory();
    watchdog_.start();
    running_ = true;
    for (const auto& listener : listeners_)
        start(*listener);
    const Then ready = [this] {
        log::ready();
        service::ready(summary());
    };
    if (starting_)
        asio::post(control_, [this, ready] { starting_(ready); });
    else
        ready();
    control_.run();
    loops_.stop();
}

void Server::start(Listener& listener) {
    listener.start([this, &listener](int fd) { accepted(fd, listener); });
    log::info("listening on " + listener.uri());
}

Server::Listeners Server::bind(const std::vector<ResolvedListener>& wishes) {
    std::vector<config::Listener> sources;
    for (const ResolvedListener& each : wishes)
        sources.push_back(*each.source);
    check_kept(sources);
    Listeners added;
    for (const ResolvedListener& wanted : wishes) {
        const config::Listener& wish = *wanted.source;
        const auto there =
            std::find_if(listeners_.begin(), listeners_.end(), [&wish](const auto& listener) {
                return to_string(listener->wish()) == to_string(wish);
            });
        if (there != listeners_.end() && !is_same_socket((*there)->wish(), wish))
            throw std::runtime_error("listen " + to_string(wish) +
                                     ": mode, owner and group take effect with a restart only: "
                                     "want them as they were");
        if (there != listeners_.end())
            continue;
        if (wish.systemd) {
            adopt_passed(wanted, sources, added);
            continue;
        }
        for (auto& listener : Listener::open(control_, wish, wanted.access))
            added.push_back(std::move(listener));
    }
    return added;
}

std::vector<std::string> Server::listen(const std::vector<ResolvedListener>& wishes,
                                        Listeners added) {
    std::vector<std::string> ended;
    std::erase_if(listeners_, [&](const auto& listener) {
        const auto wish = std::find_if(wishes.begin(), wishes.end(), [&listener](const auto& each) {
            return is_same_socket(listener->wish(), *each.source);
        });
        if (wish == wishes.end())
            ended.push_back(listener->uri());
        else
            listener->set_wish(*wish->source, wish->access);
        return wish == wishes.end();
    });
    if (stopping())
        return ended;
    for (auto& listener : added) {
        start(*listener);
        listeners_.push_back(std::move(listener));
    }
    return ended;
}

void Server::accepted(int fd, const Listener& listener) {
    Peer peer = Peer::of(fd);
    if (!may_enter(peer, listener) || !admits(peer)) {
        ::close(fd);
        return;
    }
    try {
        const auto connection = connect(devices::FileDescriptor(fd), peer, listener.rules());
        connection->speak_tls(tls_, security_of(listener.wish(), tls_.get()));
        serve(connection);
    } catch (const std::exception& why) { // no memory, or no place in epoll: for this one
        log::warning(peer.name + ": cannot be served: " + why.what(), {.client = peer.name});
        left(peer);
    }
}

/// Who may not is not even greeted, and takes nobody's place.
bool Server::may_enter(const Peer& peer, const Listener& listener) {
    const AccessPointer rules = listener.rules()->now();
    if (access_by(rules, peer) != config::Access::none)
        return true;
    ++counters_.turned_away;
    exports_->denials().no_entry(peer, listener.uri(), *rules);
    return false;
}

std::shared_ptr<Connection> Server::connect(devices::FileDescriptor fd, Peer peer,
                                            std::shared_ptr<const ListenerRules> entrance) {
    Loop& loop = loops_.least_busy();
    // The kind of protocol does not matter any more: the socket is connected.
    SocketStream::Socket socket(loop.context(), asio::generic::stream_protocol(AF_UNIX, 0),
                                fd.get());
    (void)fd.release();
    const std::chrono::seconds keepalive(limits_.keepalive_s);
    auto made = std::make_shared<Connection>(
        next_id_++, std::make_unique<SocketStream>(std::move(socket), keepalive), std::move(peer),
        loop, *exports_, std::move(entrance));
    made->on_chosen([this, name = made->description()](const std::string& chosen) {
        tell({EventKind::connected, chosen, name});
    });
    return made;
}

void Server::serve(const std::shared_ptr<Connection>& connection) {
    const std::uint64_t id = connection->id();
    connections_.emplace(id, connection);
    ++counters_.accepted;
    ++counters_.connections;
    try {
        asio::co_spawn(
            connection->strand(), connection->run(),
            asio::bind_executor(control_, [this, id](std::exception_ptr) { ended(id); }));
    } catch (...) {
        connections_.erase(id);
        --counters_.connections;
        throw;
    }
}

std::shared_ptr<Connection> Server::serve_kernel(HandedSocket socket, Peer peer,
                                                 std::string export_name,
                                                 std::function<void(Departure)> left_then) {
    if (stopping())
        throw std::runtime_error("the server is stopping");
    auto connection = connect(std::move(socket.fd), std::move(peer), nullptr);
    connection->skip_handshake(std::move(export_name), std::move(socket.unread));
    connection->on_left(std::move(left_then));
    ++connections_of_[connection->peer().client];
    try {
        serve(connection);
    } catch (...) {
        left(connection->peer());
        throw;
    }
    return connection;
}

std::unique_ptr<devices::HeldDescriptor> Server::hold_with_requests(int fd) {
    return std::make_unique<devices::HeldDescriptor>(loops_.engines(), fd);
}

void Server::ended(std::uint64_t id) {
    const auto found = connections_.find(id);
    const std::shared_ptr<Connection> connection = std::move(found->second);
    left(connection->peer());
    connections_.erase(found);
    --counters_.connections;
    const std::string name = connection->status().export_name;
    if (!connection->status().framing)
        ++counters_.handshake_failures;
    else
        tell({EventKind::disconnected, name, connection->description()});
    connection->tell_left();
    end_if_done();
}

/// Counts the client in, unless there are enough.
bool Server::admits(const Peer& peer) {
    const auto known = connections_of_.find(peer.client);
    const std::uint32_t its_own = known == connections_of_.end() ? 0 : known->second;
    const bool full = connections_.size() >= limits_.connections;
    if (!full && its_own < limits_.connections_per_client) {
        ++connections_of_[peer.client];
        return true;
    }
    ++counters_.turned_away;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_refusal_ >= refusal_interval) {
        last_refusal_ = now;
        log::warning(peer.name + ": turned away: want at most " +
                         (full ? std::to_string(limits_.connections) + " connections"
                               : std::to_string(limits_.connections_per_client) +
                                     " connections of a client") +
                         ", found as many",
                     {.client = peer.name});
    }
    return false;
}

void Server::left(const Peer& peer) {
    const auto known = connections_of_.find(peer.client);
    if (--known->second == 0)
        connections_of_.erase(known);
}

bool Server::memory_was_short() {
    bool is = client_limits_.memory.was_short();
    for (const auto& each : exports_->all())
        is = each->now()->memory->was_short() || is;
    return is;
}

/// Clients that stand still with memory in their hands are only a nuisance if others want it.
void Server::watch_memory() {
    memory_timer_.expires_after(memory_watch);
    memory_timer_.async_wait([this](const std::error_code& cancelled) {
        const bool ended = signals_seen_ > 0 && connections_.empty(); // and nobody cancels again
        if (cancelled || ended)
            return;
        watch_for_lost();
        if (memory_was_short()) {
            for (const auto& [id, connection] : connections_)
                connection->end_if_stalled();
        }
        watch_memory();
    });
}

/// Hosts that have vanished in the middle of something.
void Server::watch_for_lost() {
    const std::chrono::seconds patience(limits_.keepalive_s);
    const auto now = std::chrono::steady_clock::now();
    if (now - lost_watched_ < patience / 4)
        return;
    lost_watched_ = now;
    for (const auto& [id, connection] : connections_) {
        if (connection->peer().address)
            connection->end_if_lost(patience);
    }
}

void Server::wait_for_signal() {
    signals_.async_wait([this](const std::error_code& cancelled, int signal) {
        if (cancelled)
            return;
        wait_for_signal(); // first: what follows may end the waiting
        take_signal(signal);
        end_if_done(); // also where another signal was taken while all was ending
    });
}

void Server::take_signal(int signal) {
    if (signal == SIGHUP) {
        if (reload_ && signals_seen_ == 0)
            reload_();
        return;
    }
    ++signals_seen_;
    if (signals_seen_ == 1)
        stop();
    else if (signals_seen_ == 2)
        abort();
    else
        ::_exit(1);
}

void Server::stop() {
    service::stopping("finishing the requests of " + std::to_string(connections_.size()) +
                      " clients");
    log::info("stopping: requests in flight are finished first");
    if (stopping_)
        stopping_();
    exports_->close();
    for (const auto& [id, connection] : connections_) {
        if (!connection->is_for_kernel())
            connection->stop();
    }
    // After that: what waits to be taken is not taken any more, and what is being changed may not
    // find that something was still written.
    for (const auto& each : exports_->all()) {
        if (each->held())
            each->go_on([] {});
    }
    drain_timer_.expires_after(drain_deadline);
    drain_timer_.async_wait([this](const std::error_code& cancelled) {
        if (!cancelled)
            abort();
    });
    listeners_.clear();
    end_if_done();
}

void Server::stop_kernel() {
    if (std::exchange(kernel_stopped_, true))
        return;
    if (kernel_leaves_)
        kernel_leaves_();
}

/// The kernel has not been asked to leave before the others were: now it is.
void Server::abort() {
    log::warning("giving up " + std::to_string(connections_.size()) +
                 " clients with requests in flight");
    const bool kernel_too = kernel_stopped_;
    for (const auto& [id, connection] : connections_) {
        if (kernel_too || !connection->is_for_kernel())
            connection->abort();
    }
    stop_kernel();
}

void Server::end_if_done() {
    if (signals_seen_ == 0)
        return;
    const bool only_kernel_left =
        std::all_of(connections_.begin(), connections_.end(),
                    [](const auto& each) { return each.second->is_for_kernel(); });
    if (only_kernel_left)
        stop_kernel();
    if (!connections_.empty())
        return;
    drain_timer_.cancel();
    memory_timer_.cancel();
    watchdog_.stop();
    signals_.cancel();
}

void Server::tell(ServerEvent event) {
    asio::post(control_, [this, event = std::move(event)] {
        if (event_sink_)
            event_sink_(event);
    });
}

void Server::apply_rules(std::function<void()> held) {
    const std::shared_ptr<void> last(nullptr, [held = std::move(held)](void*) { held(); });
    for (const auto& [id, connection] : connections_)
        connection->apply_rules([last] {});
}

void Server::set_limits(const config::Limits& limits) {
    limits_ = limits;
    client_limits_.memory.set_total(limits.memory);
    client_limits_.handshake_timeout = std::chrono::seconds(limits.handshake_timeout_s);
    share_memory();
}

std::vector<std::shared_ptr<Connection>> Server::connections() const {
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [id, connection] : connections_)
        all.push_back(connection);
    return all;
}

} // namespace interposed::server
