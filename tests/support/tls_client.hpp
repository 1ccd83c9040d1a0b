#pragma once

#include "server/stream.hpp"
#include "tests/support/bytes.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <openssl/ssl.h>
#include <string>

namespace interposed::tests {

inline const std::string psk_identity = "alice";
inline const std::string psk_line = psk_identity + ":000102030405060708090a0b0c0d0e0f\n";

/// The stream below a server's TLS, with a client at its other end, by OpenSSL and with a
/// pre-shared key. Nothing waits: the client acts when the server would wait for it.
class TlsClient final : public server::Stream {
public:
    explicit TlsClient(int version = TLS1_3_VERSION, unsigned char last_byte = 0x0f)
        : context_(::SSL_CTX_new(::TLS_client_method())), in_(::BIO_new(::BIO_s_mem())),
          out_(::BIO_new(::BIO_s_mem())) {
        last_byte_of_key() = last_byte;
        ::SSL_CTX_set_min_proto_version(context_, version);
        ::SSL_CTX_set_max_proto_version(context_, version);
        ::SSL_CTX_set_psk_client_callback(context_, key);
        tls_ = ::SSL_new(context_);
        ::SSL_set_bio(tls_, in_, out_);
        ::SSL_set_connect_state(tls_);
    }
    ~TlsClient() override {
        ::SSL_free(tls_);
        ::SSL_CTX_free(context_);
    }
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;

    // What the test does with it.

    void write(const Bytes& what) {
        std::size_t written = 0;
        REQUIRE(::SSL_write_ex(tls_, what.data(), what.size(), &written) == 1);
        REQUIRE(written == what.size());
    }
    void write_in_the_clear(const Bytes& what) {
        REQUIRE(::BIO_write(out_, what.data(), static_cast<int>(what.size())) > 0);
    }
    /// All that has arrived so far.
    Bytes read() {
        Bytes got;
        std::array<std::byte, 4096> part{};
        std::size_t more = 0;
        while (::SSL_read_ex(tls_, part.data(), part.size(), &more) == 1)
            got.insert(got.end(), part.begin(), part.begin() + static_cast<long>(more));
        return got;
    }
    void update_key(int kind = SSL_KEY_UPDATE_REQUESTED) {
        REQUIRE(::SSL_key_update(tls_, kind) == 1);
        REQUIRE(::SSL_do_handshake(tls_) == 1);
    }
    void say_goodbye() { (void)::SSL_shutdown(tls_); }
    [[nodiscard]] bool was_told_goodbye() {
        (void)read();
        return (::SSL_get_shutdown(tls_) & SSL_RECEIVED_SHUTDOWN) != 0;
    }
    /// From now on, it is gone.
    void leave() { left_ = true; }

    std::size_t room = SIZE_MAX;    ///< bytes that the socket takes until somebody waits for it
    std::size_t at_once = SIZE_MAX; ///< bytes that the server receives with one call
    std::size_t step = SIZE_MAX;    ///< room there is again when somebody has waited for it

    // As the stream.

    Moved receive(std::span<const iovec> into) override {
        const auto length = static_cast<int>(std::min({into[0].iov_len, at_once, 1UL << 30}));
        const int got = ::BIO_read(out_, into[0].iov_base, length);
        if (got > 0)
            return {.bytes = static_cast<std::size_t>(got)};
        return left_ ? Moved{.ended = true} : Moved{.would_wait = true};
    }
    Moved send(std::span<const iovec> from, bool) override {
        const std::size_t taken = std::min(from[0].iov_len, room);
        if (left_)
            return {.ended = true};
        if (taken == 0)
            return {.would_wait = true};
        REQUIRE(::BIO_write(in_, from[0].iov_base, static_cast<int>(taken)) ==
                static_cast<int>(taken));
        room -= room == SIZE_MAX ? 0 : taken;
        return {.bytes = taken};
    }
    asio::awaitable<void> readable() override {
        if (::SSL_is_init_finished(tls_) == 0 && ::SSL_do_handshake(tls_) < 0 &&
            ::SSL_want(tls_) == SSL_NOTHING)
            left_ = true; // it has failed, and no more comes
        co_return;
    }
    asio::awaitable<void> writable() override {
        room = step;
        co_return;
    }
    void stop_receiving() override {}
    asio::awaitable<void> finish() override { co_return; }
    void close() override { left_ = true; }

private:
    static unsigned char& last_byte_of_key() {
        static unsigned char byte = 0;
        return byte;
    }
    static unsigned key(SSL*, const char*, char* identity, unsigned room, unsigned char* psk,
                        unsigned) {
        REQUIRE(room > psk_identity.size());
        std::memcpy(identity, psk_identity.c_str(), psk_identity.size() + 1);
        for (unsigned char i = 0; i < 16; ++i)
            psk[i] = i;
        psk[15] = last_byte_of_key();
        return 16;
    }

    SSL_CTX* context_;
    BIO* in_;  ///< from the server
    BIO* out_; ///< to the server
    SSL* tls_ = nullptr;
    bool left_ = false;
};

} // namespace interposed::tests
