#pragma once

#include "bench/tls.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>
#include <utility>

namespace interposed::bench {

/// Where a server listens: "unix:/path" or "tcp:host:port".
struct Address {
    bool tcp = false;
    std::string path;
    std::string host;
    std::string port;
};

/// Throws std::invalid_argument with what was wanted and found.
Address parse_address(const std::string& text);

/// For a TCP socket that stays within this host, before it connects or listens: BBR, where that is
/// the system's choice, paces there too, and it would be this that limits every server. Afterwards
/// is too late: a connection that began with it keeps its timers.
void send_at_once(int fd);

/// A connected stream socket, closed by its destructor. Every wait on it ends after the time
/// limit it was made with.
class Socket {
public:
    /// Takes over a descriptor that is already connected.
    Socket(int descriptor, std::chrono::seconds limit);
    static Socket connect(const Address& address, std::chrono::seconds limit);

    Socket(Socket&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), limit_(other.limit_), tls_(std::move(other.tls_)) {}
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    void send_all(std::span<const std::byte> bytes);
    void receive_all(std::span<std::byte> bytes);

    /// As sendmsg(2) and recv(2) return it. Unless told to wait, they do not.
    ssize_t send(std::span<const iovec> pieces, bool wait);
    ssize_t receive(std::span<std::byte> room, bool wait);

    /// From now on everything goes through TLS. Throws as Tls does.
    void start_tls(const std::string& folder) { tls_ = std::make_unique<Tls>(fd_, folder); }

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::chrono::seconds limit() const { return limit_; }

private:
    int fd_;
    std::chrono::seconds limit_;
    std::unique_ptr<Tls> tls_; ///< null: none
};

} // namespace interposed::bench
