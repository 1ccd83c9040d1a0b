#pragma once

#include <asio/awaitable.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <sys/uio.h>

namespace interposed::server {

/// What a session speaks through: the seam below it. A socket; TLS is another.
///
/// receive() and send() never wait: they move what can be moved now. readable() and writable()
/// wait. Not thread-safe; one reader and one writer may wait at the same time.
class Stream {
public:
    /// What came of a call that does not wait.
    struct Moved {
        std::size_t bytes = 0;
        bool ended = false;      ///< the peer is gone, or the stream is broken
        bool would_wait = false; ///< nothing can be moved now
        bool faulted = false;    ///< and that because what was to be sent is not in memory
    };

    virtual ~Stream() = default;
    virtual Moved receive(std::span<const iovec> into) = 0;
    /// `more`: something follows at once, and may go into the same packet.
    virtual Moved send(std::span<const iovec> from, bool more) = 0;
    /// Whether send_file() can be called: it sends part of a file without copying it.
    [[nodiscard]] virtual bool can_send_file() const { return false; }
    virtual Moved send_file(int fd, std::uint64_t offset, std::size_t length) {
        (void)fd, (void)offset, (void)length;
        return {.ended = true};
    }
    /// Whether send() can be given memory of which some may not be there: it says `faulted` then,
    /// and more can be sent.
    [[nodiscard]] virtual bool can_send_mapped() const { return false; }
    /// Whether splice() can be called: it moves what was received into a pipe without copying it.
    [[nodiscard]] virtual bool can_splice() const { return false; }
    /// `would_wait`: nothing has been received, or the pipe is full.
    virtual Moved splice(int pipe, std::size_t length) {
        (void)pipe, (void)length;
        return {.ended = true};
    }
    /// Whether receive() would not have to wait.
    [[nodiscard]] virtual bool has_received() const { return false; }
    /// Return early, without an error, when the stream is closed.
    virtual asio::awaitable<void> readable() = 0;
    virtual asio::awaitable<void> writable() = 0;
    /// For how long the peer's host has owed an answer to what was sent; zero if it owes none.
    [[nodiscard]] virtual std::chrono::milliseconds unanswered_for() const { return {}; }
    /// Wakes who waits, and changes nothing else.
    virtual void interrupt() {}
    /// Gives the descriptor away, as it is, for another process to go on with; the stream is closed
    /// then. -1: it has none that could be given away.
    virtual int release() { return -1; }
    /// No more will be received: wakes readable(), and receive() says ended.
    virtual void stop_receiving() = 0;
    /// Tells the peer that nothing more comes, and throws away what it sends until it has left or
    /// close() is called.
    virtual asio::awaitable<void> finish() = 0;
    /// Ends everything; wakes all who wait.
    virtual void close() = 0;
};

/// TCP, Unix or a socketpair.
class SocketStream final : public Stream {
public:
    using Socket = asio::generic::stream_protocol::socket;

    /// Sets the options that every connection wants (TCP_NODELAY, buffer sizes). An idle peer that
    /// its host does not vouch for during `keepalive` is gone.
    explicit SocketStream(Socket socket, std::chrono::seconds keepalive = std::chrono::seconds(60));

    Moved receive(std::span<const iovec> into) override;
    Moved send(std::span<const iovec> from, bool more) override;
    [[nodiscard]] bool can_send_file() const override { return true; }
    Moved send_file(int fd, std::uint64_t offset, std::size_t length) override;
    [[nodiscard]] bool can_send_mapped() const override { return true; }
    [[nodiscard]] bool can_splice() const override { return true; }
    Moved splice(int pipe, std::size_t length) override;
    [[nodiscard]] bool has_received() const override;
    asio::awaitable<void> readable() override;
    asio::awaitable<void> writable() override;
    [[nodiscard]] std::chrono::milliseconds unanswered_for() const override;
    void interrupt() override;
    int release() override;
    void stop_receiving() override;
    asio::awaitable<void> finish() override;
    void close() override;

private:
    Socket socket_;
    bool is_tcp_ = false;
    bool receiving_ = true;
};

} // namespace interposed::server
