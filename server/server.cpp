#include "server/server.hpp"

#include "devices/device.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <csignal>
#include <thread>
#include <unistd.h>

namespace interposed::server {

namespace {

/// Where small writes cannot be done for the blocks they lie in, no request may be moved off the
/// blocks by its segment.
void check_alignment(const Export& made, const std::vector<mapping::Segment>& segments,
                     const std::vector<std::shared_ptr<devices::Layer>>& below) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const mapping::Segment& segment = segments[i];
        const std::uint32_t block = below[segment.device]->limits().minimum_block;
        if (segment.start % block != 0 || segment.length % block != 0 ||
            segment.device_offset % block != 0)
            throw devices::ClaimError(
                "export \"" + made.name + "\" segment " + std::to_string(i) + " on \"" +
                made.devices[segment.device] +
                "\": want start, length and offset in multiples of " + std::to_string(block) +
                " for shared direct I/O, found " + std::to_string(segment.start) + ", " +
                std::to_string(segment.length) + ", " + std::to_string(segment.device_offset));
    }
}

std::shared_ptr<const Export> open_export(devices::Registry& registry,
                                          const ResolvedExport& resolved, std::uint64_t memory) {
    const config::Export& source = *resolved.source;
    auto made = std::make_shared<Export>();
    made->name = source.name;
    made->description = source.description;
    made->read_only = source.read_only;
    made->allow = source.allow;
    made->memory = std::make_shared<MemoryBudget>(memory);
    std::vector<std::shared_ptr<devices::Layer>> below;
    for (const ResolvedDevice& device : resolved.devices) {
        below.push_back(registry.open(
            device.info,
            {.claim = source.claim == config::Claim::shared ? devices::ClaimMode::shared
                                                            : devices::ClaimMode::exclusive,
             .access = source.read_only ? devices::Access::read_only : devices::Access::read_write,
             .cache = device.cache,
             .user = source.name}));
        made->devices.push_back(device.info.path);
    }
    std::vector<mapping::Segment> segments;
    segments.reserve(resolved.segments.size());
    for (const ResolvedSegment& each : resolved.segments)
        segments.push_back({.start = each.where.offset,
                            .length = each.where.length,
                            .device = each.device,
                            .device_offset = each.device_offset});
    check_alignment(*made, segments, below);
    made->table =
        std::make_shared<TableLayer>(mapping::Table(std::move(segments)), std::move(below));
    return made;
}

unsigned loops_for(const Server::Options& options) {
    return options.loops > 0 ? options.loops : std::max(1U, std::thread::hardware_concurrency());
}

} // namespace

Server::Server(const config::Configuration& configuration, const Resolved& resolved,
               Options options)
    : signals_(control_, SIGINT, SIGTERM), drain_timer_(control_),
      limits_(configuration.limits), client_limits_{.memory = MemoryBudget(limits_.memory),
                                                    .handshake_timeout = std::chrono::seconds(
                                                        limits_.handshake_timeout_s)},
      loops_(loops_for(options), options.ring, client_limits_), memory_timer_(control_) {
    open_exports(resolved);
    for (const config::Listener& wish : configuration.listen) {
        for (auto& listener : Listener::open(control_, wish))
            listeners_.push_back(std::move(listener));
    }
}

Server::~Server() {
    loops_.stop();
}

void Server::open_exports(const Resolved& resolved) {
    std::vector<std::shared_ptr<const Export>> open;
    const std::uint64_t memory = resolved.exports.size() > 1 ? limits_.memory / 2 : limits_.memory;
    for (const ResolvedExport& each : resolved.exports) {
        if (each.disabled_because.empty())
            open.push_back(open_export(registry_, each, memory));
    }
    exports_ = std::make_unique<ExportSet>(std::move(open));
}

void Server::run() {
    loops_.start();
    wait_for_signal();
    watch_memory();
    for (const auto& listener : listeners_) {
        listener->start([this](int fd) { accepted(fd); });
        log::info("listening on " + listener->uri());
    }
    log::ready();
    control_.run();
    loops_.stop();
}

void Server::accepted(int fd) {
    Peer peer = Peer::of(fd);
    if (!admits(peer)) {
        ::close(fd);
        return;
    }
    try {
        serve(fd, peer);
    } catch (const std::exception& why) { // no memory, or no place in epoll: for this one
        log::warning(peer.name + ": cannot be served: " + why.what());
        left(peer);
    }
}

void Server::serve(int accepted, Peer peer) {
    devices::FileDescriptor fd(accepted);
    Loop& loop = loops_.least_busy();
    const std::uint64_t id = next_id_++;
    // The kind of protocol does not matter any more: the socket is connected.
    SocketStream::Socket socket(loop.context(), asio::generic::stream_protocol(AF_UNIX, 0),
                                fd.get());
    (void)fd.release();
    auto made = std::make_shared<Connection>(id, std::make_unique<SocketStream>(std::move(socket)),
                                             std::move(peer), loop, *exports_);
    Connection& connection = *made;
    connections_.emplace(id, std::move(made));
    auto ended = [this, id](std::exception_ptr) {
        const auto found = connections_.find(id);
        left(found->second->peer());
        connections_.erase(found);
        end_if_done();
    };
    asio::co_spawn(connection.strand(), connection.run(), asio::bind_executor(control_, ended));
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
    const auto now = std::chrono::steady_clock::now();
    if (now - last_refusal_ >= refusal_interval) {
        last_refusal_ = now;
        log::warning(
            peer.name + ": turned away: want at most " +
            (full ? std::to_string(limits_.connections) + " connections"
                  : std::to_string(limits_.connections_per_client) + " connections of a client") +
            ", found as many");
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
        is = each->memory->was_short() || is;
    return is;
}

/// Clients that stand still with memory in their hands are only a nuisance if others want it.
void Server::watch_memory() {
    memory_timer_.expires_after(memory_watch);
    memory_timer_.async_wait([this](const std::error_code& cancelled) {
        const bool ended = signals_seen_ > 0 && connections_.empty(); // and nobody cancels again
        if (cancelled || ended)
            return;
        if (memory_was_short()) {
            for (const auto& [id, connection] : connections_)
                connection->end_if_stalled();
        }
        watch_memory();
    });
}

void Server::wait_for_signal() {
    signals_.async_wait([this](const std::error_code& cancelled, int) {
        if (cancelled)
            return;
        wait_for_signal(); // first: what follows may end the waiting
        ++signals_seen_;
        if (signals_seen_ == 1)
            stop();
        else if (signals_seen_ == 2)
            abort();
        else
            ::_exit(1);
    });
}

void Server::stop() {
    log::info("stopping: requests in flight are finished first");
    exports_->close();
    for (const auto& [id, connection] : connections_)
        connection->stop();
    drain_timer_.expires_after(drain_deadline);
    drain_timer_.async_wait([this](const std::error_code& cancelled) {
        if (!cancelled)
            abort();
    });
    listeners_.clear();
    end_if_done();
}

void Server::abort() {
    log::warning("giving up " + std::to_string(connections_.size()) +
                 " clients with requests in flight");
    for (const auto& [id, connection] : connections_)
        connection->abort();
}

void Server::end_if_done() {
    if (signals_seen_ == 0 || !connections_.empty())
        return;
    drain_timer_.cancel();
    memory_timer_.cancel();
    signals_.cancel();
}

} // namespace interposed::server
