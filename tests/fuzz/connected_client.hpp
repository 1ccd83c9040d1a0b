#pragma once

#include "server/connection.hpp"
#include "tests/fuzz/world.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace interposed::fuzz {

/// What a session goes through besides the bytes it is sent.
struct Weather {
    bool slow = false; ///< devices answer when nothing else happens, one operation each time
    bool newest_first = false; ///< and not in the order they were asked
    bool crowded = false;      ///< the loop has other sessions
    bool cached = false;       ///< answers may come from a file, and then show later writes
    std::uint64_t fail_from = ~std::uint64_t{0}; ///< where each device fails
    int error = 0;
};

/// What all inputs share: making it takes longer than most inputs do.
struct Fixture {
    World world;
    server::ClientLimits limits;
    server::Loop loop{devices::Engine::Ring::never, limits};
    // Without work the context would stop, and would have to be restarted.
    asio::executor_work_guard<asio::io_context::executor_type> work{
        asio::make_work_guard(loop.context())};
    Bytes said;
    Bytes heard;
};

/// A client of a Connection on the other end of a socketpair. The server does its work on the
/// client's thread, whenever the client lets it: an input gives the same course each time.
class ConnectedClient {
public:
    ConnectedClient(Fixture& fixture, const Weather& weather)
        : world_(fixture.world), loop_(fixture.loop), weather_(weather), heard_(fixture.heard) {
        heard_.clear();
        for (WatchedDevice* device : world_.devices())
            device->begin(weather.slow, weather.cached, weather.fail_from, weather.error);
        for (unsigned i = 0; i < turns_of_others; ++i)
            loop_.note_turn(weather.crowded && i % 2 == 0 ? static_cast<void*>(this) : nullptr);
        std::array<int, 2> ends{};
        require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) ==
                    0,
                "there are sockets");
        fd_ = ends[0];
        server::SocketStream::Socket socket(loop_.context(),
                                            asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
        connection_ = std::make_shared<server::Connection>(
            1, std::make_unique<server::SocketStream>(std::move(socket)), world_.peer, loop_,
            world_.exports);
        auto ended = [this](const std::exception_ptr& why) {
            require(why == nullptr, "a connection ends without an exception");
            ended_ = true;
        };
        asio::co_spawn(connection_->strand(), connection_->run(), ended);
    }
    ConnectedClient(const ConnectedClient&) = delete;
    ConnectedClient& operator=(const ConnectedClient&) = delete;

    /// Leaves and checks that nothing of the connection is left.
    ~ConnectedClient() {
        leave();
        while (!ended_)
            require(go_on(), "a connection ends when its client has left");
        const std::weak_ptr<server::Connection> gone = connection_;
        connection_.reset();
        settle(); // what was cancelled
        require(gone.expired() && loop_.sessions() == 0, "nothing is left of a connection");
        for (WatchedDevice* device : world_.devices())
            require(!device->answer_one(loop_.engine(), false), "nothing is in flight at the end");
        world_.check();
    }

    /// All of it, unless the server has gone.
    void send(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent > 0)
                bytes = bytes.subspan(static_cast<std::size_t>(sent));
            else if (errno != EAGAIN)
                return;
            else
                require(go_on(), "the server takes what it is sent");
        }
    }

    /// Lets the server do all it can do, and the devices one thing. False: there was none.
    bool go_on() {
        const bool moved = settle();
        bool answered = false;
        for (WatchedDevice* device : world_.devices())
            answered = device->answer_one(loop_.engine(), weather_.newest_first) || answered;
        return settle() || moved || answered;
    }

    void stop_sending() { (void)::shutdown(fd_, SHUT_WR); }
    void leave() {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = -1;
    }

    [[nodiscard]] server::Connection& connection() { return *connection_; }
    [[nodiscard]] bool ended() const { return ended_; }
    /// What the server has said so far.
    [[nodiscard]] const Bytes& heard() const { return heard_; }

private:
    static constexpr unsigned turns_of_others = 16; ///< enough for a loop to forget what was before

    bool settle() {
        bool moved = false;
        while (loop_.context().poll() > 0 || hear())
            moved = true;
        return moved;
    }

    bool hear() {
        const std::size_t had = heard_.size();
        static std::array<std::byte, 1U << 16> scrap;
        ssize_t got = 0;
        while (fd_ >= 0 && (got = ::recv(fd_, scrap.data(), scrap.size(), 0)) > 0)
            heard_.insert(heard_.end(), scrap.begin(), scrap.begin() + got);
        return heard_.size() > had;
    }

    World& world_;
    server::Loop& loop_;
    const Weather weather_;
    int fd_ = -1;
    bool ended_ = false;
    Bytes& heard_;
    std::shared_ptr<server::Connection> connection_;
};

} // namespace interposed::fuzz
