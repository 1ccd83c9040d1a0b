#pragma once

#include "protocol/transmission.hpp"
#include "server/export.hpp"

namespace interposed::server {

/// What a client and the server have agreed on in the handshake.
struct Agreement {
    std::shared_ptr<const Export> chosen;
    bool structured_replies = false;
    bool allocation_context = false;
};

/// Whether a request may be carried out, and if not, why (proto.md, "Request types" and "Error
/// values"). Pure: looks at nothing but its arguments.
protocol::WireError check_request(const protocol::Request& request, const Agreement& agreement);

/// Whether a payload follows the request on the wire, whatever check_request() says of it.
inline bool has_payload(const protocol::Request& request) {
    return request.command == protocol::Command::write;
}

} // namespace interposed::server
