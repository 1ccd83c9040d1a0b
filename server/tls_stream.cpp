#include "server/tls_stream.hpp"

#include "server/tls_identity.hpp"

#include <algorithm>
#include <array>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <cstring>
#include <new>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/uio.h>
#include <utility>

namespace interposed::server {

namespace {

/// The most plaintext of a record (RFC 8446, section 5.1). Bytes.
constexpr std::size_t record = std::size_t{16} << 10;

/// Room for a batch in records, each with its header and tag, and for what TLS says of its own.
constexpr std::size_t out_capacity = std::size_t{256} << 10;

std::string first_error() {
    const unsigned long code = ::ERR_get_error();
    ::ERR_clear_error();
    const char* const reason = code == 0 ? nullptr : ::ERR_reason_error_string(code);
    return reason == nullptr ? "unknown reason" : reason;
}

} // namespace

/// How OpenSSL reaches the stream below: its BIO. What it writes is gathered, what it reads it
/// receives into memory of its own.
struct TlsStream::Bio {
    static TlsStream& of(BIO* bio) { return *static_cast<TlsStream*>(::BIO_get_data(bio)); }

    static int write(BIO* bio, const char* data, std::size_t length, std::size_t* written) {
        TlsStream& self = of(bio);
        BIO_clear_retry_flags(bio);
        if (!self.out_) {
            try {
                self.out_ = self.buffers_.take(out_capacity);
            } catch (const std::bad_alloc&) {
                return 0;
            }
        }
        if (self.out_.size() - self.out_end_ < length) {
            self.full_ = true;
            BIO_set_retry_write(bio);
            return 0;
        }
        std::memcpy(self.out_.data() + self.out_end_, data, length);
        self.out_end_ += length;
        *written = length;
        return 1;
    }

    static int read(BIO* bio, char* data, std::size_t length, std::size_t* there) {
        TlsStream& self = of(bio);
        BIO_clear_retry_flags(bio);
        const iovec into{.iov_base = data, .iov_len = length};
        const Moved moved = self.below_->receive(std::span(&into, 1));
        if (moved.bytes > 0) {
            self.starved_ = false;
            *there = moved.bytes;
            return 1;
        }
        self.below_ended_ = moved.ended;
        self.starved_ = moved.would_wait;
        if (moved.would_wait)
            BIO_set_retry_read(bio);
        return 0;
    }

    static long control(BIO* /*bio*/, int command, long /*number*/, void* /*data*/) {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
    }

    static int create(BIO* bio) {
        ::BIO_set_init(bio, 1);
        return 1;
    }

    static const BIO_METHOD* method() {
        static BIO_METHOD* const made = [] {
            BIO_METHOD* const method =
                ::BIO_meth_new(::BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream");
            if (method == nullptr)
                throw std::bad_alloc();
            ::BIO_meth_set_write_ex(method, write);
            ::BIO_meth_set_read_ex(method, read);
            ::BIO_meth_set_ctrl(method, control);
            ::BIO_meth_set_create(method, create);
            return method;
        }();
        return made;
    }
};

TlsStream::TlsStream(std::unique_ptr<Stream>&& below, std::shared_ptr<const TlsContext> context,
                     BufferPool& buffers)
    : context_(std::move(context)), tls_(context_->connection()), buffers_(buffers) {
    BIO* const bio = ::BIO_new(Bio::method());
    if (bio == nullptr)
        throw std::bad_alloc();
    ::BIO_set_data(bio, this);
    ::SSL_set_bio(tls_.get(), bio, bio); // which owns it now
    below_ = std::move(below);
}

TlsStream::~TlsStream() = default;

asio::awaitable<void> TlsStream::shake() {
    for (;;) {
        ::ERR_clear_error();
        const int done = ::SSL_do_handshake(tls_.get());
        const int why = done == 1 ? SSL_ERROR_NONE : ::SSL_get_error(tls_.get(), done);
        std::string reason = why == SSL_ERROR_SSL ? first_error() : std::string();
        if (const long found = ::SSL_get_verify_result(tls_.get()); found != X509_V_OK)
            reason += std::string(": ") + ::X509_verify_cert_error_string(found);
        // Also what it says of a failure: the client may tell its user.
        const bool flushed = co_await flush_all();
        if (done == 1 && flushed)
            break;
        if (!flushed || below_ended_)
            throw TlsError("TLS: the client left during the handshake");
        if (why == SSL_ERROR_WANT_READ)
            co_await below_->readable();
        else if (why != SSL_ERROR_WANT_WRITE)
            throw TlsError("TLS: " + (reason.empty() ? "handshake failed" : reason));
    }
    ::SSL_set_default_read_buffer_len(tls_.get(), received_at_once);
    established_ = true;
    starved_ = false; // it may have received the first option with the handshake's end
}

std::optional<TlsIdentity> TlsStream::identity() const {
    return identity_of(tls_.get());
}

std::string TlsStream::description() const {
    return std::string(::SSL_get_version(tls_.get())) + " " + ::SSL_get_cipher_name(tls_.get());
}

Stream::Moved TlsStream::receive(std::span<const iovec> into) {
    if (!receiving_)
        return {.ended = true};
    std::size_t total = 0;
    for (const iovec& part : into) {
        auto* const data = static_cast<std::byte*>(part.iov_base);
        for (std::size_t got = 0; got < part.iov_len;) {
            ::ERR_clear_error();
            std::size_t more = 0;
            if (::SSL_read_ex(tls_.get(), data + got, part.iov_len - got, &more) != 1)
                return nothing_more(total);
            got += more;
            total += more;
        }
    }
    empty_turns_ = 0;
    return {.bytes = total};
}

/// What SSL_read_ex() has said, after so many bytes. An end comes again.
Stream::Moved TlsStream::nothing_more(std::size_t received) {
    const int why = ::SSL_get_error(tls_.get(), 0);
    (void)flush(); // what TLS says of its own, such as a new key
    if (received > 0) {
        empty_turns_ = 0;
        return {.bytes = received};
    }
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
        empty_turns_ = starved_ || full_ ? 0 : empty_turns_ + 1;
        if (empty_turns_ < turns_without_data)
            return {.would_wait = true};
        established_ = false;
        return {.ended = true};
    }
    established_ = established_ && why == SSL_ERROR_ZERO_RETURN;
    return {.ended = true};
}

/// What could not be sent is not said to have been: the same bytes are given to the next call,
/// which knows that it has encrypted them already.
template <typename Encrypt>
Stream::Moved TlsStream::send_encrypted(bool more, Encrypt encrypt) {
    Flushed flushed = flush(more);
    if (flushed == Flushed::all && unreported_ == 0) {
        unreported_ = encrypt();
        if (unreported_ == 0)
            return {.ended = true};
        flushed = flush(more);
    }
    if (flushed == Flushed::ended)
        return {.ended = true};
    if (flushed == Flushed::part)
        return {.would_wait = true};
    return {.bytes = std::exchange(unreported_, 0)};
}

Stream::Moved TlsStream::send(std::span<const iovec> from, bool more) {
    return send_encrypted(more, [&] { return encrypt(from); });
}

Stream::Moved TlsStream::send_file(int fd, std::uint64_t offset, std::size_t length) {
    return send_encrypted(false, [&]() -> std::size_t {
        const Buffer read = buffers_.take(batch);
        iovec part{.iov_base = read.data(), .iov_len = std::min(length, batch)};
        const ssize_t got = ::preadv2(fd, &part, 1, static_cast<off_t>(offset), RWF_NOWAIT);
        if (got <= 0)
            return 0;
        part.iov_len = static_cast<std::size_t>(got);
        return encrypt({&part, 1});
    });
}

/// Encrypts the first of these bytes, a batch at most: small pieces together in a record.
std::size_t TlsStream::encrypt(std::span<const iovec> from) {
    std::array<std::byte, record> gathered; // NOLINT: filled before it is read
    std::size_t done = 0;
    std::size_t held = 0;
    for (const iovec& part : from) {
        const auto* data = static_cast<const std::byte*>(part.iov_base);
        for (std::size_t left = part.iov_len; left > 0 && done + held < batch;) {
            const bool whole = held == 0 && left >= record;
            const std::size_t step = std::min(left, record - held);
            if (!whole) {
                std::memcpy(gathered.data() + held, data, step);
                held += step;
            }
            if (whole || held == record) {
                if (!encrypt_record(whole ? data : gathered.data(), record))
                    return done;
                done += record;
                held = 0;
            }
            data += step;
            left -= step;
        }
    }
    if (held > 0 && encrypt_record(gathered.data(), held))
        done += held;
    return done;
}

bool TlsStream::encrypt_record(const std::byte* data, std::size_t length) {
    ::ERR_clear_error();
    std::size_t written = 0;
    return ::SSL_write_ex(tls_.get(), data, length, &written) == 1 && written == length;
}

TlsStream::Flushed TlsStream::flush(bool more) {
    while (out_begin_ < out_end_) {
        const iovec from{.iov_base = out_.data() + out_begin_, .iov_len = out_end_ - out_begin_};
        const Moved moved = below_->send(std::span(&from, 1), more);
        if (moved.ended)
            return Flushed::ended;
        if (moved.would_wait)
            return Flushed::part;
        out_begin_ += moved.bytes;
    }
    out_begin_ = out_end_ = 0;
    full_ = false;
    out_.release();
    return Flushed::all;
}

asio::awaitable<bool> TlsStream::flush_all() {
    for (;;) {
        const Flushed flushed = flush();
        if (flushed != Flushed::part)
            co_return flushed == Flushed::all;
        co_await below_->writable();
    }
}

bool TlsStream::has_received() const {
    return !starved_ || below_->has_received();
}

asio::awaitable<void> TlsStream::readable() {
    if (full_)
        co_await below_->writable();
    else if (starved_)
        co_await below_->readable();
    else { // there is more, and others have their turn first
        const auto here = co_await asio::this_coro::executor;
        co_await asio::post(here, asio::use_awaitable);
    }
}

asio::awaitable<void> TlsStream::writable() {
    return below_->writable();
}

void TlsStream::stop_receiving() {
    receiving_ = false;
    below_->stop_receiving();
}

asio::awaitable<void> TlsStream::finish() {
    if (established_) {
        ::ERR_clear_error();
        (void)::SSL_shutdown(tls_.get()); // our close_notify; nobody waits for theirs
        (void)co_await flush_all();
    }
    co_await below_->finish();
}

} // namespace interposed::server
