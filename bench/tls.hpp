#pragma once

#include <cstddef>
#include <memory>
#include <openssl/ssl.h>
#include <span>
#include <string>
#include <sys/types.h>
#include <sys/uio.h>
#include <vector>

namespace interposed::bench {

/// A client's end of TLS on a connected socket. Like the socket's own calls, send() and receive()
/// return bytes, or -1 with errno; both take and give as much as they can at a time.
class Tls {
public:
    /// Performs the handshake, which waits. `folder` has ca-cert.pem, client-cert.pem and
    /// client-key.pem. Throws std::runtime_error.
    Tls(int socket, const std::string& folder);
    ~Tls();
    Tls(const Tls&) = delete;
    Tls& operator=(const Tls&) = delete;

    /// What could not leave counts as not sent: it has to be given again, and is not encrypted
    /// anew.
    ssize_t send(std::span<const iovec> pieces, bool wait);
    ssize_t receive(std::span<std::byte> room, bool wait);

private:
    struct Bio;
    struct Free {
        void operator()(SSL* of) const { ::SSL_free(of); }
        void operator()(SSL_CTX* of) const { ::SSL_CTX_free(of); }
    };

    bool flush(bool wait);
    std::size_t encrypt(std::span<const iovec> pieces);

    int socket_;
    std::unique_ptr<SSL_CTX, Free> context_;
    std::unique_ptr<SSL, Free> tls_;
    bool wait_ = true;           ///< of what is received
    std::vector<std::byte> out_; ///< encrypted
    std::size_t out_sent_ = 0;   ///< of these
    std::size_t encrypted_ = 0;  ///< of what was given last, and not yet said to be sent
    std::vector<std::byte> gathered_;
};

} // namespace interposed::bench
