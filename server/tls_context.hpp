#pragma once

#include "config/config.hpp"
#include "server/psk_file.hpp"

#include <memory>
#include <openssl/ssl.h>
#include <string>
#include <vector>

namespace interposed::server {

/// What "tls" of a configuration means, with its files read: OpenSSL's SSL_CTX and the pre-shared
/// keys. Immutable; any thread may use it. Those who connected keep the one they came in by, so
/// that new certificates are read without a restart.
class TlsContext {
public:
    /// Reads all files. Throws config::ConfigError with what is wrong with each.
    static std::shared_ptr<const TlsContext> load(const config::Tls& tls, const std::string& file);

    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    [[nodiscard]] const config::Tls& terms() const { return terms_; }
    /// Files of secrets that others can read.
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

    struct Free {
        void operator()(SSL* of) const { ::SSL_free(of); }
        void operator()(SSL_CTX* of) const { ::SSL_CTX_free(of); }
    };
    using Connection = std::unique_ptr<SSL, Free>;

    /// A server's end of one connection, without a BIO. This outlives it. Throws std::bad_alloc.
    [[nodiscard]] Connection connection() const;

    /// The pre-shared key that the client named last, which it has proven to have once the
    /// handshake is over and used one. Empty: none.
    static const std::string& offered_psk(const SSL* of);

private:
    explicit TlsContext(const config::Tls& tls);
    static unsigned find_psk(SSL* of, const char* identity, unsigned char* psk, unsigned room);

    config::Tls terms_;
    PskTable psks_;
    std::vector<std::string> warnings_;
    std::unique_ptr<SSL_CTX, Free> context_;
};

} // namespace interposed::server
