#pragma once

#include "server/access.hpp"
#include "server/line_limiter.hpp"

#include <string_view>

namespace interposed::server {

/// Tells the log of clients that were not let in, and why: for the operator alone, for the client
/// learns nothing of it. Not of all of them, if there are many. Thread-safe.
class Denials {
public:
    /// There is no export that this client may ask for under this name: because of `rules`, or
    /// because there is none at all (null). The same is done for the one as for the other, so that
    /// a client that takes the time learns nothing.
    void no_export(const Peer& peer, std::string_view name, const AccessList* rules);
    void no_entry(const Peer& peer, std::string_view listener, const AccessList& rules);

private:
    LineLimiter exports_;
    LineLimiter entries_;
};

/// Who a client is as far as rules can ask: `address 127.0.0.1, no TLS identity`. What it has
/// chosen itself is escaped, and shortened if need be.
std::string identity_of(const Peer& peer);

} // namespace interposed::server
