#include "devices/file_descriptor.hpp"
#include "server/tls_stream.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/tls_client.hpp"

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>
#include <catch2/catch.hpp>
#include <fcntl.h>

namespace interposed::server {

using protocol::Bytes;

namespace {

/// A server's stream and the client at its other end.
struct Pair {
    explicit Pair(std::unique_ptr<tests::TlsClient> end = std::make_unique<tests::TlsClient>())
        : client(*end), stream(std::move(end), TlsContext::load(terms(), "f"), buffers) {}

    config::Tls terms() {
        config::Tls tls;
        tls.psk = folder.make_text("keys.psk", tests::psk_line);
        return tls;
    }

    void run(asio::awaitable<void> what) {
        auto done = asio::co_spawn(context, std::move(what), asio::use_future);
        context.restart();
        context.run();
        done.get();
    }
    void shake() { run(stream.shake()); }

    /// As a session does it: what was not said to be sent is given again.
    void send(const Bytes& what, std::size_t piece) {
        for (std::size_t at = 0; at < what.size();) {
            std::vector<iovec> parts;
            for (std::size_t i = at; i < what.size(); i += piece)
                parts.push_back({.iov_base = const_cast<std::byte*>(what.data() + i),
                                 .iov_len = std::min(piece, what.size() - i)});
            const auto moved = stream.send(parts, false);
            REQUIRE_FALSE(moved.ended);
            at += moved.bytes;
            if (moved.would_wait)
                run(stream.writable());
        }
    }

    Stream::Moved receive(Bytes& into, std::size_t first_part) {
        const std::array<iovec, 2> parts = {
            iovec{.iov_base = into.data(), .iov_len = first_part},
            iovec{.iov_base = into.data() + first_part, .iov_len = into.size() - first_part}};
        return stream.receive(parts);
    }

    tests::TemporaryDirectory folder;
    asio::io_context context;
    BufferPool buffers;
    tests::TlsClient& client;
    TlsStream stream;
};

Bytes pattern(std::size_t length) {
    Bytes bytes(length);
    for (std::size_t i = 0; i < length; ++i)
        bytes[i] = static_cast<std::byte>(i * 7 + i / 251);
    return bytes;
}

} // namespace

TEST_CASE("a client with a pre-shared key is known by its identity", "[server]") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Pair pair(std::make_unique<tests::TlsClient>(version));
        pair.shake();
        REQUIRE(pair.stream.identity());
        CHECK(pair.stream.identity()->psk == tests::psk_identity);
        CHECK(pair.stream.identity()->subject.empty());
        CHECK(pair.stream.description().starts_with(version == TLS1_2_VERSION ? "TLSv1.2 "
                                                                              : "TLSv1.3 "));
    }
}

TEST_CASE("a client with another key, or an older version, is refused", "[server]") {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        Pair pair(std::make_unique<tests::TlsClient>(version, 0x77));
        CHECK_THROWS_AS(pair.shake(), TlsError);
    }
    Pair old(std::make_unique<tests::TlsClient>(TLS1_1_VERSION));
    CHECK_THROWS_AS(old.shake(), TlsError);
}

TEST_CASE("a client that leaves during the TLS handshake ends it", "[server]") {
    Pair pair;
    pair.client.leave();
    CHECK_THROWS_AS(pair.shake(), TlsError);
}

TEST_CASE("what is sent through TLS arrives, whatever room the socket has", "[server]") {
    const Bytes sent = pattern(700001);
    for (const std::size_t step : {std::size_t{333}, std::size_t{20000}, SIZE_MAX}) {
        for (const std::size_t piece : {std::size_t{16}, std::size_t{4112}, std::size_t{100000}}) {
            Pair pair;
            pair.shake();
            pair.client.step = pair.client.room = step;
            pair.send(sent, piece == 16 && step == 333 ? 1600 : piece);
            CHECK(pair.client.read() == sent);
        }
    }
}

TEST_CASE("a file is sent through TLS, as far as it goes", "[server]") {
    const Bytes sent = pattern(500000);
    for (const std::size_t step : {std::size_t{7000}, SIZE_MAX}) {
        Pair pair;
        pair.shake();
        pair.client.step = pair.client.room = step;
        const std::string name = pair.folder.make_text(
            "file", {reinterpret_cast<const char*>(sent.data()), sent.size()});
        const devices::FileDescriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
        REQUIRE(file);
        std::size_t at = 0;
        while (at < sent.size()) {
            const auto moved = pair.stream.send_file(file.get(), at, 1 << 20);
            REQUIRE_FALSE(moved.ended);
            at += moved.bytes;
            if (moved.would_wait)
                pair.run(pair.stream.writable());
        }
        CHECK(pair.client.read() == sent);
        CHECK(pair.stream.send_file(file.get(), at, 1 << 20).ended);
    }
}

TEST_CASE("what is received through TLS is there, however it comes", "[server]") {
    const Bytes sent = pattern(100000);
    for (const std::size_t at_once : {std::size_t{1}, std::size_t{5000}, SIZE_MAX}) {
        Pair pair;
        pair.shake();
        pair.client.at_once = at_once;
        pair.client.write(sent);
        Bytes got;
        while (got.size() < sent.size()) {
            Bytes part(40000);
            const auto moved = pair.receive(part, 1000);
            REQUIRE_FALSE(moved.ended);
            REQUIRE_FALSE(moved.would_wait);
            part.resize(moved.bytes);
            got.insert(got.end(), part.begin(), part.end());
        }
        CHECK(got == sent);
        Bytes none(10);
        CHECK(pair.receive(none, 5).would_wait);
    }
}

TEST_CASE("what came with the end of the TLS handshake is not waited for", "[server]") {
    Pair pair;
    pair.shake();
    pair.client.write(pattern(10));
    CHECK(pair.stream.has_received());
    Bytes got(10);
    CHECK(pair.receive(got, 10).bytes == 10);
    CHECK(pair.receive(got, 10).would_wait);
}

TEST_CASE("keys are changed in the middle of what is sent", "[server]") {
    Pair pair;
    pair.shake();
    pair.client.room = pair.client.step = 1000;
    const Bytes sent = pattern(300000);
    Bytes got(100);
    pair.client.update_key();
    pair.client.write(pattern(50));
    CHECK(pair.receive(got, 50).bytes == 50);
    pair.send(sent, 4112);
    CHECK(pair.client.read() == sent);
}

TEST_CASE("a client that changes keys again and again keeps nobody busy for long, and its data is "
          "found",
          "[server]") {
    Pair pair;
    pair.shake();
    for (unsigned i = 0; i < 3000; ++i) // some 80 KiB
        pair.client.update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
    pair.client.write(pattern(10));
    Bytes got(100);
    unsigned turns = 0;
    auto moved = pair.receive(got, 50);
    for (; moved.would_wait; ++turns) {
        REQUIRE(pair.stream.has_received());
        pair.run(pair.stream.readable()); // which gives others their turn, and comes back
        moved = pair.receive(got, 50);
    }
    CHECK(moved.bytes == 10);
    CHECK(turns >= 2);
    CHECK(turns < TlsStream::turns_without_data);
}

TEST_CASE("a client that does nothing but change keys is sent away", "[server]") {
    Pair pair;
    pair.shake();
    Bytes got(100);
    for (unsigned turn = 0;; ++turn) {
        REQUIRE(turn < 100);
        for (unsigned i = 0; i < 1300; ++i) // more than is received at once
            pair.client.update_key(SSL_KEY_UPDATE_NOT_REQUESTED);
        if (pair.receive(got, 50).ended)
            break;
    }
}

TEST_CASE("TLS ends with close_notify, and without one, as the client likes", "[server]") {
    const auto how = GENERATE(0, 1);
    Pair pair;
    pair.shake();
    pair.client.write(pattern(10));
    if (how == 0)
        pair.client.say_goodbye();
    else
        pair.client.leave();
    Bytes got(100);
    CHECK(pair.receive(got, 50).bytes == 10);
    CHECK(pair.receive(got, 50).ended);
}

TEST_CASE("a TLS client is told that nothing more comes", "[server]") {
    Pair pair;
    pair.shake();
    CHECK_FALSE(pair.client.was_told_goodbye());
    pair.run(pair.stream.finish());
    CHECK(pair.client.was_told_goodbye());
}

TEST_CASE("garbage inside TLS ends the stream", "[server]") {
    Pair pair;
    pair.shake();
    pair.client.write_in_the_clear(pattern(100));
    Bytes got(100);
    CHECK(pair.receive(got, 50).ended);
}

} // namespace interposed::server
