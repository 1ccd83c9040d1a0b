#pragma once

#include "server/peer.hpp"

#include <openssl/ssl.h>
#include <optional>

namespace interposed::server {

/// Whom a finished handshake has proven the client to be: by a certificate that was verified, or
/// by a pre-shared key. nullopt: neither.
std::optional<TlsIdentity> identity_of(const SSL* tls);

} // namespace interposed::server
