#pragma once

#include "server/buffer_pool.hpp"
#include "server/peer.hpp"
#include "server/stream.hpp"
#include "server/tls_context.hpp"

#include <memory>
#include <stdexcept>
#include <string>

namespace interposed::server {

/// The client does not come to an agreement on TLS, or is not who it must be.
class TlsError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// TLS over another stream (RFC 8446, RFC 5246), by OpenSSL. What it sends goes down a batch at a
/// time; what it receives is decrypted from where it was received.
///
/// Not thread-safe; as Stream, one reader and one writer may wait at the same time.
class TlsStream final : public Stream {
public:
    /// Plaintext that is encrypted at a time: a batch of replies, and small enough for the core's
    /// cache. Bytes.
    static constexpr std::size_t batch = std::size_t{128} << 10;
    /// OpenSSL takes all records that hold no data, such as new keys, as far as it has received
    /// them: so much of them in one turn. Bytes.
    static constexpr std::size_t received_at_once = std::size_t{32} << 10;
    /// Then others have a turn. A client that sends nothing else for so many turns is sent away.
    static constexpr unsigned turns_without_data = 32;

    /// Takes `below` unless it throws: std::bad_alloc.
    TlsStream(std::unique_ptr<Stream>&& below, std::shared_ptr<const TlsContext> context,
              BufferPool& buffers);
    ~TlsStream() override;

    /// The handshake, before anything else is called but close(). Throws TlsError.
    asio::awaitable<void> shake();

    /// After the handshake: whom it has proven the client to be. nullopt: it has not said.
    [[nodiscard]] std::optional<TlsIdentity> identity() const;
    /// "TLSv1.3 TLS_AES_256_GCM_SHA384", for people.
    [[nodiscard]] std::string description() const;

    Moved receive(std::span<const iovec> into) override;
    Moved send(std::span<const iovec> from, bool more) override;
    /// Reads a batch, encrypts and sends it, all in the core's cache. What is not in the page
    /// cache, or cannot be read, is said to have `ended`.
    [[nodiscard]] bool can_send_file() const override { return true; }
    Moved send_file(int fd, std::uint64_t offset, std::size_t length) override;
    [[nodiscard]] bool has_received() const override;
    asio::awaitable<void> readable() override;
    asio::awaitable<void> writable() override;
    [[nodiscard]] std::chrono::milliseconds unanswered_for() const override {
        return below_->unanswered_for();
    }
    void interrupt() override { below_->interrupt(); }
    void stop_receiving() override;
    asio::awaitable<void> finish() override;
    void close() override { below_->close(); }

private:
    struct Bio;
    enum class Flushed : std::uint8_t { all, part, ended };

    template <typename Encrypt>
    Moved send_encrypted(bool more, Encrypt encrypt);
    [[nodiscard]] std::size_t encrypt(std::span<const iovec> from);
    [[nodiscard]] bool encrypt_record(const std::byte* data, std::size_t length);
    [[nodiscard]] Moved nothing_more(std::size_t received);
    Flushed flush(bool more = false);
    asio::awaitable<bool> flush_all();

    std::unique_ptr<Stream> below_;
    std::shared_ptr<const TlsContext> context_; ///< outlives the connection
    TlsContext::Connection tls_;
    BufferPool& buffers_;
    Buffer out_; ///< encrypted, and not yet sent
    std::size_t out_begin_ = 0;
    std::size_t out_end_ = 0;
    /// Of what send() was given last: encrypted, but not yet said to be sent, because nobody would
    /// come again for the rest of it.
    std::size_t unreported_ = 0;
    bool starved_ = true;      ///< nothing is decrypted, or could be, before more is received
    unsigned empty_turns_ = 0; ///< in a row, without data although there was something
    bool full_ = false;        ///< what it has to say first does not fit into out_
    bool below_ended_ = false; ///< the stream below, in the last call
    bool receiving_ = true;
    bool established_ = false; ///< and not broken since: so it can be closed in an orderly way
};

} // namespace interposed::server
