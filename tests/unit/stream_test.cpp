#include "server/stream.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace interposed::server {

TEST_CASE("small replies over TCP are not held back", "[server]") {
    asio::io_context context;
    asio::ip::tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), 0});
    asio::ip::tcp::socket client(context);
    client.connect(acceptor.local_endpoint());
    asio::ip::tcp::socket accepted = acceptor.accept();
    const int fd = accepted.native_handle();
    const SocketStream stream{SocketStream::Socket(std::move(accepted))};
    for (const auto& [level, option] :
         {std::pair<int, int>{IPPROTO_TCP, TCP_NODELAY}, {SOL_SOCKET, SO_KEEPALIVE}}) {
        int value = 0;
        socklen_t length = sizeof value;
        REQUIRE(::getsockopt(fd, level, option, &value, &length) == 0);
        CHECK(value != 0);
    }
}

} // namespace interposed::server
