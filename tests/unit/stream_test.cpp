#include "congestion_control.hpp"
#include "server/stream.hpp"

#include <array>
#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <utility>

namespace interposed::server {

namespace {

/// A stream over a connection of this host with itself, and its descriptor.
class LocalConnection {
public:
    explicit LocalConnection(const asio::ip::address& address) : acceptor_(context_, {address, 0}) {
        client_.connect(acceptor_.local_endpoint());
        asio::ip::tcp::socket accepted = acceptor_.accept();
        fd_ = accepted.native_handle();
        stream_.emplace(SocketStream::Socket(std::move(accepted)));
    }
    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] SocketStream& stream() { return *stream_; }

private:
    asio::io_context context_;
    asio::ip::tcp::acceptor acceptor_;
    asio::ip::tcp::socket client_{context_};
    int fd_ = -1;
    std::optional<SocketStream> stream_;
};

} // namespace

TEST_CASE("small replies over TCP are not held back", "[server]") {
    const LocalConnection connection(asio::ip::address_v4::loopback());
    const int fd = connection.fd();
    for (const auto& [level, option] :
         {std::pair<int, int>{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}}) {
        int value = 0;
        socklen_t length = sizeof value;
        REQUIRE(::getsockopt(fd, level, option, &value, &length) == 0);
        CHECK(value != 0);
    }
}

TEST_CASE("memory that is not there can be sent no more than a part that is", "[server]") {
    LocalConnection connection(asio::ip::address_v4::loopback());
    void* const nothing = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(nothing != MAP_FAILED);
    std::string there = "there";
    const std::array<iovec, 2> parts{iovec{.iov_base = there.data(), .iov_len = there.size()},
                                     iovec{.iov_base = nothing, .iov_len = 4096}};
    const Stream::Moved moved = connection.stream().send(parts, false);
    CHECK(moved.bytes <= there.size());
    const Stream::Moved again = connection.stream().send(std::span(parts).last(1), false);
    CHECK(again.faulted);
    CHECK(again.bytes == 0);
    ::munmap(nothing, 4096);
}

TEST_CASE("what a host sends to itself is not paced", "[server]") {
    for (const char* const address : {"127.0.0.1", "::1"}) {
        const LocalConnection connection(asio::ip::make_address(address));
        CHECK(congestion_control(connection.fd()) == "reno");
    }
}

} // namespace interposed::server
