#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
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

/// A connected stream socket, closed by its destructor. Every wait on it ends after the time
/// limit it was made with.
class Socket {
public:
    /// Takes over a descriptor that is already connected.
    Socket(int descriptor, std::chrono::seconds limit);
    static Socket connect(const Address& address, std::chrono::seconds limit);

    Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)), limit_(other.limit_) {}
    Socket& operator=(Socket&& other) noexcept;
    ~Socket();

    void send_all(std::span<const std::byte> bytes);
    void receive_all(std::span<std::byte> bytes);

    [[nodiscard]] int fd() const { return fd_; }
    [[nodiscard]] std::chrono::seconds limit() const { return limit_; }

private:
    int fd_;
    std::chrono::seconds limit_;
};

} // namespace interposed::bench
