#include "congestion_control.hpp"
#include "devices/file_descriptor.hpp"
#include "server/listener.hpp"

#include <asio/ip/tcp.hpp>
#include <catch2/catch.hpp>
#include <string>

namespace interposed::server {

namespace {

/// Of a connection as the listener gives it away.
std::string accepted_at(const std::string& host, const asio::ip::address& client_goes_to) {
    asio::io_context context;
    config::Listener wish;
    wish.tcp = config::TcpAddress{.host = host, .port = 0};
    const auto open = Listener::open(context, wish, nullptr);
    REQUIRE(open.size() == 1);
    std::string found;
    open.front()->start([&](int fd) {
        const devices::FileDescriptor accepted(fd);
        found = congestion_control(accepted.get());
        context.stop();
    });
    const std::string uri = open.front()->uri();
    const auto port = static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1)));
    asio::ip::tcp::socket client(context);
    client.connect({client_goes_to, port});
    context.run();
    return found;
}

} // namespace

TEST_CASE("a connection through a loopback address begins with nothing that paces it", "[server]") {
    CHECK(accepted_at("127.0.0.1", asio::ip::address_v4::loopback()) == "reno");
    CHECK(accepted_at("127.1.2.3", asio::ip::make_address("127.1.2.3")) == "reno");
    CHECK(accepted_at("::1", asio::ip::address_v6::loopback()) == "reno");
}

TEST_CASE("a connection through any other address begins as the host says", "[server]") {
    asio::io_context context;
    asio::ip::tcp::socket any(context, asio::ip::tcp::v4());
    const std::string usual = congestion_control(any.native_handle());
    CHECK(accepted_at("0.0.0.0", asio::ip::address_v4::loopback()) == usual);
}

} // namespace interposed::server
