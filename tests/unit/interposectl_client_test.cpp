#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace interposed::ctl;

namespace {

constexpr std::size_t largest = 1000; ///< bytes of an answer, in these tests

/// A server that has said all it will ever say before it is asked.
class Spoken {
public:
    explicit Spoken(const std::string& answer, bool stays = false) {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends_.data()) == 0);
        REQUIRE(::send(ends_[1], answer.data(), answer.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(answer.size()));
        if (!stays)
            close_server();
    }
    Spoken(const Spoken&) = delete;
    Spoken& operator=(const Spoken&) = delete;
    ~Spoken() { close_server(); }

    /// To be given to one client.
    [[nodiscard]] int client_end() const { return ends_[0]; }
    /// What the client has sent.
    [[nodiscard]] std::string heard() const {
        std::array<char, 4096> text{};
        const ssize_t got = ::recv(ends_[1], text.data(), text.size(), MSG_DONTWAIT);
        return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
    }

private:
    void close_server() {
        if (ends_[1] >= 0)
            ::close(ends_[1]);
        ends_[1] = -1;
    }

    std::array<int, 2> ends_{-1, -1};
};

/// What is said of an answer that is none.
std::string complaint(const std::string& answer) {
    const Spoken server(answer);
    Client client(server.client_end(), "/a.sock", largest);
    try {
        (void)client.call("version", Json::object());
    } catch (const Unreachable& why) {
        CHECK(why.status() == Exit::unreachable);
        return why.what();
    }
    return "";
}

} // namespace

TEST_CASE("a call is one line, and its result what the answer says", "[interposectl]") {
    const Spoken server(R"({"jsonrpc":"2.0","id":1,"result":{"pid":5}})"
                        "\n"
                        R"({"jsonrpc":"2.0","id":2,"result":{"pid":6}})"
                        "\n",
                        true);
    Client client(server.client_end(), "/a.sock");

    CHECK(client.call("version", Json::object()) == Json{{"pid", 5}});
    CHECK(server.heard() == R"({"jsonrpc":"2.0","id":1,"method":"version","params":{}})"
                            "\n");
    CHECK(client.call("version", Json::object()) == Json{{"pid", 6}});
}

TEST_CASE("a server's error keeps its code and decides the exit status", "[interposectl]") {
    const auto status_of = [](const std::string& error) {
        const Spoken server(R"({"jsonrpc":"2.0","id":1,"error":)" + error + "}\n", true);
        Client client(server.client_end(), "/a.sock");
        try {
            (void)client.call("wait", Json::object());
        } catch (const Refused& why) {
            CHECK(why.error() == Json::parse(error));
            return why.status();
        }
        return Exit::done;
    };

    CHECK(status_of(R"({"code":2,"message":"it has clients"})") == Exit::failed);
    CHECK(status_of(R"({"code":5,"message":"nothing yet","data":{"kind":"timeout"}})") ==
          Exit::timeout);
}

TEST_CASE("whom the server turns away hears why, though it has closed already", "[interposectl]") {
    const Spoken server(R"({"jsonrpc":"2.0","id":null,"error":{"code":8,"message":"not you"}})"
                        "\n");
    Client client(server.client_end(), "/a.sock");

    CHECK_THROWS_AS(client.call("version", Json::object()), Refused);
}

TEST_CASE("what is no answer is refused, whatever it is", "[interposectl]") {
    using Catch::Contains;
    CHECK_THAT(complaint(""), Contains("closed the connection without an answer"));
    CHECK_THAT(complaint(R"({"jsonrpc":"2.0",)"), Contains("in the middle of its answer"));
    CHECK_THAT(complaint("NBDMAGICIHAVEOPT"), Contains("speaks another protocol"));
    CHECK_THAT(complaint("HTTP/1.1 400\n"), Contains("not JSON"));
    CHECK_THAT(complaint("{\"a\": \"\xff\"}\n"), Contains("not JSON"));
    CHECK_THAT(complaint("{\"id\":1,\"result\":1e999}\n"), Contains("not JSON"));
    CHECK_THAT(complaint("[]\n"), Contains("no JSON-RPC"));
    CHECK_THAT(complaint("{}\n"), Contains("was not asked"));
    CHECK_THAT(complaint("{\"id\":2,\"result\":{}}\n"), Contains("was not asked"));
    CHECK_THAT(complaint("{\"id\":1}\n"), Contains("without a result"));
    CHECK_THAT(complaint("{\"id\":1,\"result\":[]}\n"), Contains("without a result"));
    CHECK_THAT(complaint("{\"id\":1,\"error\":5}\n"), Contains("without code and message"));
    CHECK_THAT(complaint("{\"a\":" + std::string(70, '[') + "\n"), Contains("too deep"));
    CHECK_THAT(complaint("{" + std::string(2 * largest, ' ')), Contains("more than 1000 bytes"));
}

TEST_CASE("brackets inside a string nest nothing", "[interposectl]") {
    const std::string text = R"(\"\\)" + std::string(100, '[');
    const Spoken server(R"({"id":1,"result":{"text":")" + text + "\"}}\n", true);
    Client client(server.client_end(), "/a.sock");

    CHECK(client.call("metrics", Json::object())["text"] == "\"\\" + std::string(100, '['));
}

TEST_CASE("a socket that cannot be connected to is explained", "[interposectl]") {
    CHECK_THROWS_WITH(Client("/absent/control.sock"), Catch::Contains("there is no such socket"));
    CHECK_THROWS_WITH(Client("/dev/null"), Catch::Contains("no stream socket"));
    CHECK_THROWS_WITH(Client(std::string(200, 'x')), Catch::Contains("want a path of 1 to 107"));
    CHECK_THROWS_WITH(Client(""), Catch::Contains("want a path of 1 to 107"));
}
