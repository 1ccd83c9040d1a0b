#pragma once

#include "server/connection.hpp"
#include "tests/support/bytes.hpp"
#include "tests/support/memory_device.hpp"

#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <catch2/catch.hpp>
#include <csignal>
#include <future>
#include <sys/socket.h>
#include <sys/time.h>
#include <thread>
#include <unistd.h>

namespace interposed::tests {

/// Exports over devices in memory, and a loop that serves them.
class TestServer {
public:
    explicit TestServer(std::vector<std::shared_ptr<const server::Export>> exports,
                        std::uint64_t memory = server::MemoryBudget::default_total)
        : limits_{.memory = server::MemoryBudget(memory)}, exports_(std::move(exports)),
          loop_(devices::Engine::Ring::never, limits_),
          work_(asio::make_work_guard(loop_.context())),
          thread_([this] { loop_.context().run(); }) {
        std::signal(SIGPIPE, SIG_IGN); // as the server's main does: sendfile() may raise it
    }

    ~TestServer() {
        work_.reset();
        loop_.context().stop();
        thread_.join();
    }

    server::ClientLimits& limits() { return limits_; }
    server::Loop& loop() { return loop_; }
    server::ExportSet& exports() { return exports_; }

private:
    server::ClientLimits limits_;
    server::ExportSet exports_;
    server::Loop loop_;
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::thread thread_;
};

/// One export over a table of devices in memory, one after the other.
template <typename Device = MemoryDevice>
std::shared_ptr<server::Export> memory_export(const std::string& name,
                                              const std::vector<std::shared_ptr<Device>>& devices) {
    auto made = std::make_shared<server::Export>();
    made->name = name;
    std::vector<mapping::Segment> segments;
    std::vector<std::shared_ptr<devices::Layer>> below;
    std::uint64_t start = 0;
    for (const auto& device : devices) {
        segments.push_back({.start = start,
                            .length = device->size(),
                            .device = static_cast<std::uint32_t>(below.size()),
                            .device_offset = 0});
        start += device->size();
        made->devices.push_back("memory " + std::to_string(below.size()));
        below.push_back(device);
    }
    made->table =
        std::make_shared<server::TableLayer>(mapping::Table(std::move(segments)), std::move(below));
    return made;
}

/// A client that says what it is told to, byte by byte, and expects bytes: it can be wrong on
/// purpose. The server's side is a Connection on the other end of a socketpair.
class ScriptedClient {
public:
    /// `entrance` are the rules of the listener that it came through, if it has some.
    explicit ScriptedClient(TestServer& server,
                            std::shared_ptr<const server::ListenerRules> entrance = nullptr) {
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        fd_ = ends[0];
        const timeval patience{.tv_sec = 30, .tv_usec = 0}; // only a hang ever waits that long
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        server::SocketStream::Socket socket(server.loop().context(),
                                            asio::generic::stream_protocol(AF_UNIX, 0), ends[1]);
        connection_ = std::make_shared<server::Connection>(
            1, std::make_unique<server::SocketStream>(std::move(socket)), server::Peer::of(ends[0]),
            server.loop(), server.exports(), std::move(entrance));
        auto ended = [this](std::exception_ptr) { ended_.set_value(); };
        asio::co_spawn(connection_->strand(), connection_->run(), ended);
    }

    ~ScriptedClient() {
        leave();
        wait_for_end();
    }

    ScriptedClient& send(const Bytes& what) {
        std::size_t sent = 0;
        while (sent < what.size()) {
            const ssize_t put = ::send(fd_, what.data() + sent, what.size() - sent, MSG_NOSIGNAL);
            if (put <= 0)
                break; // the server has left: what it says next shows why
            sent += static_cast<std::size_t>(put);
        }
        return *this;
    }

    Bytes receive(std::size_t count) {
        Bytes got(count);
        std::size_t have = 0;
        while (have < count) {
            const ssize_t more = ::recv(fd_, got.data() + have, count - have, 0);
            if (more <= 0)
                break;
            have += static_cast<std::size_t>(more);
        }
        got.resize(have);
        return got;
    }

    ScriptedClient& expect(const Bytes& what) {
        const Bytes got = receive(what.size());
        CHECK(got == what);
        return *this;
    }

    /// The server says nothing more and closes.
    ScriptedClient& expect_end() {
        std::byte more{};
        const ssize_t got = ::recv(fd_, &more, 1, 0);
        const bool gone = got == 0 || (got < 0 && errno == ECONNRESET);
        CHECK(gone);
        return *this;
    }

    /// Says nothing more, but listens on.
    void half_close() { ::shutdown(fd_, SHUT_WR); }

    void leave() {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = -1;
    }

    /// Until the server has done with this client.
    void wait_for_end() {
        if (waited_)
            return;
        waited_ = true;
        REQUIRE(ended_.get_future().wait_for(std::chrono::seconds(60)) ==
                std::future_status::ready);
    }

    server::Connection& connection() { return *connection_; }

private:
    int fd_ = -1;
    bool waited_ = false;
    std::promise<void> ended_;
    std::shared_ptr<server::Connection> connection_;
};

// ---- the usual lines of a script ----

inline Bytes greeting() {
    return wire().text("NBDMAGICIHAVEOPT").u16(3);
}
inline Bytes client_flags(std::uint32_t flags = 3) {
    return wire().u32(flags);
}

inline Bytes option(std::uint32_t number, const Bytes& data = {}) {
    return wire()
        .text("IHAVEOPT")
        .u32(number)
        .u32(static_cast<std::uint32_t>(data.size()))
        .raw(data);
}

inline Bytes option_reply(std::uint32_t number, std::uint32_t type, const Bytes& data = {}) {
    return wire()
        .u64(0x0003e889045565a9)
        .u32(number)
        .u32(type)
        .u32(static_cast<std::uint32_t>(data.size()))
        .raw(data);
}

inline Bytes info_data(std::string_view name) {
    return wire().u32(static_cast<std::uint32_t>(name.size())).text(name).u16(0);
}

inline Bytes request(std::uint16_t flags, std::uint16_t command, std::uint64_t cookie,
                     std::uint64_t offset, std::uint32_t length) {
    return wire().u32(0x25609513).u16(flags).u16(command).u64(cookie).u64(offset).u32(length);
}

inline Bytes simple_reply(std::uint64_t cookie, std::uint32_t error = 0) {
    return wire().u32(0x67446698).u32(error).u64(cookie);
}

/// EXPORT_NAME: the shortest way into the transmission phase.
inline void choose(ScriptedClient& client, std::string_view name, std::uint64_t size,
                   std::uint16_t flags) {
    client.expect(greeting())
        .send(wire().raw(client_flags()).raw(option(1, wire().text(name))))
        .expect(wire().u64(size).u16(flags));
}

/// GO: into the transmission phase, in one of the framings that options 8 and 11 ask for, or with
/// simple replies.
inline void go(ScriptedClient& client, std::string_view name, protocol::Framing framing) {
    client.expect(greeting()).send(wire().raw(client_flags()));
    if (framing != protocol::Framing::simple) {
        const std::uint32_t wish = framing == protocol::Framing::extended ? 11 : 8;
        client.send(option(wish)).expect(option_reply(wish, 1));
    }
    client.send(option(7, info_data(name)));
    for (std::uint32_t type = 0; type != 1;) {
        const Bytes head = client.receive(20);
        REQUIRE(head.size() == 20);
        type = protocol::load_be<std::uint32_t>(head.data() + 12);
        client.receive(protocol::load_be<std::uint32_t>(head.data() + 16));
    }
}

} // namespace interposed::tests
