#include "bench/tls.hpp"

#include <algorithm>
#include <cerrno>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <stdexcept>
#include <sys/socket.h>
#include <utility>

namespace interposed::bench {

namespace {

constexpr std::size_t batch = 128 << 10; // of plaintext that is encrypted at a time
constexpr std::size_t read_ahead = 256 << 10;

[[noreturn]] void fail(const std::string& what) {
    const char* const reason = ::ERR_reason_error_string(::ERR_get_error());
    throw std::runtime_error("TLS: " + what + ": " + (reason == nullptr ? "failed" : reason));
}

} // namespace

/// The socket below: what is written is gathered, what is read is received as it is asked for.
struct Tls::Bio {
    static int write(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
        auto& out = static_cast<Tls*>(::BIO_get_data(bio))->out_;
        const auto* const bytes = reinterpret_cast<const std::byte*>(data);
        out.insert(out.end(), bytes, bytes + length);
        *written = length;
        return 1;
    }
    static int read(BIO* bio, char* room, std::size_t length, std::size_t* there) {
        Tls& self = *static_cast<Tls*>(::BIO_get_data(bio));
        BIO_clear_retry_flags(bio);
        if (self.wait_ && !self.flush(true)) // what the peer waits for
            return 0;
        const ssize_t got = ::recv(self.socket_, room, length, self.wait_ ? 0 : MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            BIO_set_retry_read(bio);
        if (got <= 0)
            return 0;
        *there = static_cast<std::size_t>(got);
        return 1;
    }
    static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH; }

    static BIO* make(Tls& tls) {
        static BIO_METHOD* const method = [] {
            BIO_METHOD* const made = ::BIO_meth_new(BIO_TYPE_SOURCE_SINK, "nbdload");
            ::BIO_meth_set_write_ex(made, write);
            ::BIO_meth_set_read_ex(made, read);
            ::BIO_meth_set_ctrl(made, control);
            return made;
        }();
        BIO* const bio = ::BIO_new(method);
        ::BIO_set_data(bio, &tls);
        ::BIO_set_init(bio, 1);
        return bio;
    }
};

Tls::Tls(int socket, const std::string& folder)
    : socket_(socket), context_(::SSL_CTX_new(::TLS_client_method())) {
    const std::string at = folder + "/";
    SSL_CTX* const context = context_.get();
    if (::SSL_CTX_load_verify_locations(context, (at + "ca-cert.pem").c_str(), nullptr) != 1 ||
        ::SSL_CTX_use_certificate_file(context, (at + "client-cert.pem").c_str(),
                                       SSL_FILETYPE_PEM) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context, (at + "client-key.pem").c_str(), SSL_FILETYPE_PEM) !=
            1)
        fail(folder);
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    ::SSL_CTX_set_read_ahead(context, 1);
    ::SSL_CTX_set_default_read_buffer_len(context, read_ahead);
    tls_.reset(::SSL_new(context));
    BIO* const bio = Bio::make(*this);
    ::SSL_set_bio(tls_.get(), bio, bio);
    ::SSL_set_connect_state(tls_.get());
    int done = 0;
    do {
        done = ::SSL_do_handshake(tls_.get());
        flush(true);
    } while (done != 1 && ::SSL_get_error(tls_.get(), done) == SSL_ERROR_WANT_READ &&
             errno != EAGAIN);
    if (done != 1)
        fail("handshake");
}

Tls::~Tls() = default;

ssize_t Tls::send(std::span<const iovec> pieces, bool wait) {
    if (!flush(wait))
        return -1;
    if (encrypted_ == 0)
        encrypted_ = encrypt(pieces);
    if (!flush(wait))
        return -1;
    return static_cast<ssize_t>(std::exchange(encrypted_, 0));
}

std::size_t Tls::encrypt(std::span<const iovec> pieces) {
    gathered_.clear();
    for (const iovec& piece : pieces) {
        const auto* const data = static_cast<const std::byte*>(piece.iov_base);
        const std::size_t part = std::min(piece.iov_len, batch - gathered_.size());
        gathered_.insert(gathered_.end(), data, data + part);
    }
    if (::SSL_write(tls_.get(), gathered_.data(), static_cast<int>(gathered_.size())) <= 0)
        fail("send");
    return gathered_.size();
}

bool Tls::flush(bool wait) {
    while (out_sent_ < out_.size()) {
        const ssize_t sent = ::send(socket_, out_.data() + out_sent_, out_.size() - out_sent_,
                                    MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
        if (sent < 0 && errno != EINTR)
            return false;
        out_sent_ += static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
    }
    out_.clear();
    out_sent_ = 0;
    return true;
}

ssize_t Tls::receive(std::span<std::byte> room, bool wait) {
    std::size_t got = 0;
    while (got < room.size()) {
        wait_ = wait && got == 0;
        errno = 0;
        const int part =
            ::SSL_read(tls_.get(), room.data() + got, static_cast<int>(room.size() - got));
        if (part > 0) {
            got += static_cast<std::size_t>(part);
            continue;
        }
        const int why = ::SSL_get_error(tls_.get(), part);
        if (got > 0)
            break;
        if (why == SSL_ERROR_ZERO_RETURN)
            return 0;
        if (why == SSL_ERROR_WANT_READ) {
            errno = EAGAIN;
            return -1;
        }
        if (why == SSL_ERROR_SYSCALL)
            return errno == 0 ? 0 : -1;
        fail("receive");
    }
    return static_cast<ssize_t>(got);
}

} // namespace interposed::bench
