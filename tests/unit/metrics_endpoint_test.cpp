#include "control/metrics_endpoint.hpp"
#include "devices/file_descriptor.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <cstring>
#include <netinet/in.h>
#include <new>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace interposed::control {

namespace {

const config::TcpAddress any_port{.host = "127.0.0.1", .port = 0};

server::ServerReport one_export() {
    server::ServerReport report;
    report.version = "1.2.3";
    report.exports.emplace_back().name = "vol0";
    return report;
}

/// A client of an endpoint on 127.0.0.1.
class Client {
public:
    explicit Client(const MetricsEndpoint& endpoint)
        : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const std::string& uri = endpoint.uri();
        REQUIRE(uri.starts_with("http://127.0.0.1:"));
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1))));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
        const timeval patience{.tv_sec = 60, .tv_usec = 0};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }

    void send(const std::string& text) const {
        REQUIRE(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(text.size()));
    }
    /// Everything up to the end.
    [[nodiscard]] std::string receive() const {
        std::string all;
        char some[4096];
        for (ssize_t got = 0; (got = ::recv(fd_.get(), some, sizeof some, 0)) > 0;)
            all.append(some, static_cast<std::size_t>(got));
        return all;
    }

    /// Waits for the first byte, and leaves it there.
    [[nodiscard]] char peek() const {
        char first = 0;
        REQUIRE(::recv(fd_.get(), &first, 1, MSG_PEEK) == 1);
        return first;
    }

private:
    devices::FileDescriptor fd_;
};

std::string ask(const MetricsEndpoint& endpoint, const std::string& request,
                const std::string& headers = {}) {
    const Client client(endpoint);
    client.send(request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + headers + "\r\n");
    return client.receive();
}

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("metrics are served in the format that is asked for", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    const std::string plain = ask(endpoint, "GET /metrics");
    CHECK(plain.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(plain, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    CHECK(has(plain, "\ninterposed_build_info{version=\"1.2.3\"} 1\n"));
    CHECK(has(plain, "\ninterposed_requests_total{export=\"vol0\",kind=\"read\"} 0\n"));
    CHECK_FALSE(has(plain, "# EOF"));

    const std::string open = ask(endpoint, "GET /metrics",
                                 "Accept: text/plain;q=0.5\r\n"
                                 "Accept: application/openmetrics-text;version=1.0.0\r\n");
    CHECK(
        has(open, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
    CHECK(open.ends_with("# EOF\n"));
}

TEST_CASE("HEAD has the same header and no body", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    const std::string head = ask(endpoint, "HEAD /metrics");
    CHECK(head.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(has(head, "\r\nContent-Length: "));
    CHECK(head.ends_with("\r\n\r\n"));
}

TEST_CASE("the front page shows the way, and there are no other pages", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    CHECK(has(ask(endpoint, "GET /"), "href=\"/metrics\""));
    CHECK(ask(endpoint, "GET /metrics?from=here").starts_with("HTTP/1.1 200 "));
    CHECK(ask(endpoint, "GET /metrics/").starts_with("HTTP/1.1 404 "));
    CHECK(ask(endpoint, "GET /../etc/passwd").starts_with("HTTP/1.1 404 "));
}

TEST_CASE("nothing can be changed over HTTP", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "WHATEVER"}) {
        const std::string refusal =
            ask(endpoint, std::string(method) + " /metrics", "Content-Length: 0\r\n");
        CHECK(refusal.starts_with("HTTP/1.1 405 "));
        CHECK(has(refusal, "\r\nAllow: GET, HEAD\r\n"));
    }
    CHECK(ask(endpoint, "POST /metrics", "Content-Length: 1000000000\r\n")
              .starts_with("HTTP/1.1 405 "));
}

TEST_CASE("several scrapes may use one connection", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    const Client client(endpoint);
    client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"
                "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string both = client.receive();
    CHECK(has(both, "href=\"/metrics\""));
    CHECK(has(both, "interposed_uptime_seconds "));
}

TEST_CASE("clients that never finish asking, or never read, hold up nobody", "[control]") {
    server::ServerReport large;
    for (int i = 0; i < 1000; ++i)
        large.exports.emplace_back().name = "vol" + std::to_string(i);
    const MetricsEndpoint endpoint(any_port, [&] { return large; });
    const Client silent(endpoint);
    const Client slow(endpoint);
    slow.send("GET /metrics HTTP/1.1\r\nHost:");
    const Client deaf(endpoint); // more waits for it than sockets hold
    deaf.send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");

    CHECK(ask(endpoint, "GET /metrics").ends_with("\n"));
    CHECK(has(ask(endpoint, "GET /metrics"), "export=\"vol999\""));
    slow.send(" x\r\nConnection: close\r\n\r\n");
    CHECK(has(slow.receive(), "export=\"vol999\""));
}

TEST_CASE("what many do not read is not kept for each of them", "[control]") {
    server::ServerReport large;
    for (int i = 0; i < 1000; ++i)
        large.exports.emplace_back().name = std::string(200, 'x') + std::to_string(i);
    const MetricsEndpoint endpoint(any_port, [&] { return large; });
    std::vector<Client> deaf;
    for (int i = 0; i < 4; ++i) {
        deaf.emplace_back(endpoint);
        deaf.back().send("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(deaf.back().peek() == 'H'); // so that it is being answered
    }
    CHECK(has(ask(endpoint, "GET /metrics"), "HTTP/1.1 503 "));
    CHECK(has(ask(endpoint, "GET /"), "HTTP/1.1 200 "));
    deaf.clear();
    while (has(ask(endpoint, "HEAD /metrics"), "HTTP/1.1 503 ")) // until it notices
        ;
}

TEST_CASE("no address takes all connections", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    std::vector<Client> clients;
    for (unsigned i = 0; i < MetricsEndpoint::max_connections_per_address; ++i) {
        clients.emplace_back(endpoint);
        clients.back().send("GET / HTTP/1.1\r\nHost: x\r\n"); // so that it has been accepted
    }
    CHECK(Client(endpoint).receive().empty());
    clients.front().send("Connection: close\r\n\r\n");
    CHECK(has(clients.front().receive(), "200 OK"));
    CHECK(has(ask(endpoint, "GET /"), "200 OK"));
}

TEST_CASE("a report that cannot be made ends that scrape only", "[control]") {
    bool broken = true;
    const MetricsEndpoint endpoint(any_port, [&] {
        if (std::exchange(broken, false))
            throw std::bad_alloc();
        return one_export();
    });
    CHECK_FALSE(has(ask(endpoint, "GET /metrics"), "200 OK"));
    CHECK(has(ask(endpoint, "GET /metrics"), "200 OK"));
}

TEST_CASE("an endpoint says where it listens, and whether it cannot", "[control]") {
    const MetricsEndpoint endpoint(any_port, one_export);
    const std::string& uri = endpoint.uri();
    const auto port = static_cast<std::uint16_t>(std::stoi(uri.substr(uri.rfind(':') + 1)));
    CHECK(port != 0);
    CHECK_THROWS_WITH(MetricsEndpoint({.host = "127.0.0.1", .port = port}, one_export),
                      "metrics: listen tcp://127.0.0.1:" + std::to_string(port) +
                          ": Address already in use");
    CHECK_THROWS_WITH(MetricsEndpoint({.host = "192.0.2.1", .port = 1}, one_export),
                      "metrics: listen tcp://192.0.2.1:1: Cannot assign requested address");
    CHECK_THROWS_WITH(MetricsEndpoint({.host = "no such host", .port = 1}, one_export),
                      Catch::Contains("metrics: listen tcp://no such host: want an address"));
}

TEST_CASE("an endpoint can listen on IPv6", "[control]") {
    const devices::FileDescriptor v6(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 loopback{};
    loopback.sin6_family = AF_INET6;
    loopback.sin6_addr = in6addr_loopback;
    if (::bind(v6.get(), reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) != 0) {
        WARN("no IPv6 here");
        return;
    }
    const MetricsEndpoint endpoint({.host = "::1", .port = 0}, one_export);
    CHECK(endpoint.uri().starts_with("http://[::1]:"));
    loopback.sin6_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.uri().substr(13))));
    const devices::FileDescriptor client(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&loopback),
                      sizeof loopback) == 0);
    const std::string request = "GET / HTTP/1.0\r\n\r\n";
    REQUIRE(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) > 0);
    char answer[12] = {};
    REQUIRE(::recv(client.get(), answer, sizeof answer, MSG_WAITALL) == sizeof answer);
    CHECK(std::string(answer, sizeof answer).ends_with(" 200"));
}

TEST_CASE("an endpoint ends although clients are connected", "[control]") {
    std::optional<Client> client;
    {
        const MetricsEndpoint endpoint(any_port, one_export);
        client.emplace(endpoint);
        client->send("GET /metrics HTTP/1.1\r\n");
    }
    CHECK(client->receive().empty());
}

} // namespace interposed::control
