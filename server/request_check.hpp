#pragma once

#include "protocol/transmission.hpp"
#include "server/contexts.hpp"
#include "server/export.hpp"

namespace interposed::server {

/// What a client and the server have agreed on in the handshake.
struct Agreement {
    std::shared_ptr<const Export> chosen;
    protocol::Framing framing = protocol::Framing::simple;
    ContextSet contexts;                         ///< what BLOCK_STATUS tells of
    std::shared_ptr<RateLimiter> client_limit{}; ///< of all this client's sessions; or null
    bool read_only = false; ///< this client may only read, whatever others may
};

/// Whether a request may be carried out, and if not, why (proto.md, "Request types" and "Error
/// values"). Of an extended BLOCK_STATUS with a payload, `length` is the one in the payload. Pure:
/// looks at nothing but its arguments.
protocol::WireError check_request(const protocol::Request& request, const Agreement& agreement);

/// The contexts that such a payload asks for. nullopt: one twice, one that was not selected, or
/// none at all.
std::optional<ContextSet> queried_contexts(const protocol::StatusQuery& query, ContextSet selected);

} // namespace interposed::server
