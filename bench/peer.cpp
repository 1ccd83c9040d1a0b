#include "bench/peer.hpp"

#include "bench/inbox.hpp"
#include "bench/outbox.hpp"
#include "bench/wire.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <exception>
#include <limits>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace interposed::bench {

namespace {

struct Ends {
    int server = -1;
    int client = -1;
};

void require(bool worked, const char* what) {
    if (!worked)
        throw std::system_error(errno, std::generic_category(), what);
}

Ends unix_pair() {
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    return {.server = ends[0], .client = ends[1]};
}

/// A listener on a free port of 127.0.0.1 that lives for one connection. The connection waits
/// in the backlog, so one thread can play both sides.
Ends tcp_pair() {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&name);
    socklen_t size = sizeof name;
    const Socket listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                          std::chrono::seconds(5));
    send_at_once(listener.fd());
    require(::bind(listener.fd(), address, size) == 0 && ::listen(listener.fd(), 1) == 0 &&
                ::getsockname(listener.fd(), address, &size) == 0,
            "listen on 127.0.0.1");
    const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    send_at_once(client);
    require(client >= 0 && ::connect(client, address, size) == 0, "connect to 127.0.0.1");
    return {.server = ::accept4(listener.fd(), nullptr, nullptr, SOCK_CLOEXEC), .client = client};
}

/// Answers one connection until its client leaves.
class Answerer {
public:
    Answerer(Socket& socket, std::span<const std::byte> payload, std::size_t group)
        : socket_(socket), payload_(payload), group_(group), headers_(capacity * header),
          outbox_(2 * capacity) {}

    void run() {
        while (!leaving_) {
            inbox_.receive(socket_, true);
            while (take_one()) {
            }
            send();
        }
    }

private:
    static constexpr std::size_t header = wire::simple_reply_size;
    static constexpr std::size_t capacity = 512;

    bool take_one() {
        if (swallow_ > 0)
            return swallow();
        const auto there = inbox_.bytes();
        if (there.size() < wire::request_size || leaving_)
            return false;
        const auto command = static_cast<Command>(wire::load<std::uint16_t>(there.data() + 6));
        cookie_ = wire::load<std::uint64_t>(there.data() + 8);
        const auto length = wire::load<std::uint32_t>(there.data() + 24);
        inbox_.consume(wire::request_size);
        leaving_ = command == Command::disconnect;
        if (command == Command::write)
            swallow_ = length;
        else if (!leaving_)
            reply(command == Command::read ? length : 0);
        return true;
    }

    bool swallow() {
        const std::size_t part = std::min<std::uint64_t>(swallow_, inbox_.bytes().size());
        inbox_.consume(part);
        swallow_ -= part;
        if (part > 0 && swallow_ == 0)
            reply(0);
        return part > 0;
    }

    void reply(std::size_t data) {
        std::byte* const to = headers_.data() + waiting_ * header;
        wire::store(to, wire::simple_reply_magic);
        wire::store(to + 4, std::uint32_t{0});
        wire::store(to + 8, cookie_);
        outbox_.add({to, header});
        if (data > 0)
            outbox_.add(payload_.first(data));
        if (++waiting_ == std::min(group_, capacity))
            send();
    }

    void send() {
        outbox_.send(socket_, true);
        waiting_ = 0;
    }

    Socket& socket_;
    std::span<const std::byte> payload_;
    std::size_t group_;
    std::vector<std::byte> headers_;
    Outbox outbox_;
    Inbox inbox_;
    std::size_t waiting_ = 0;   ///< replies that are ready and not sent
    std::uint64_t cookie_ = 0;  ///< of the request that is being read
    std::uint64_t swallow_ = 0; ///< bytes of its payload still to come
    bool leaving_ = false;
};

/// While a CPU is free, replies leave in small groups, so that the client works on the first
/// while the rest is being made; else every call counts.
std::size_t group_for(std::size_t connections) {
    constexpr std::size_t group_while_idle = 8;
    return connections < std::max(1u, std::thread::hardware_concurrency())
               ? group_while_idle
               : std::numeric_limits<std::size_t>::max();
}

[[noreturn]] void serve(std::vector<Socket>& sockets, std::uint32_t block) {
    const std::vector<std::byte> payload(block, std::byte{0x5a});
    std::vector<std::thread> threads;
    for (Socket& socket : sockets)
        threads.emplace_back([&] {
            try {
                Answerer(socket, payload, group_for(sockets.size())).run();
            } catch (const std::exception&) { // the client has gone; it tells what went wrong
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    ::_exit(0);
}

} // namespace

Peer::Peer(unsigned connections, bool tcp, std::uint32_t block, std::chrono::seconds limit) {
    std::vector<Socket> server_ends;
    for (unsigned made = 0; made < connections; ++made) {
        const Ends ends = tcp ? tcp_pair() : unix_pair();
        ends_.emplace_back(ends.client, limit);
        server_ends.emplace_back(ends.server, limit);
    }
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    require(pid_ >= 0, "fork");
    if (pid_ == 0) {
        ends_.clear();
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) // it was gone before it was watched
            ::_exit(1);
        serve(server_ends, block);
    }
}

Peer::~Peer() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

} // namespace interposed::bench
