#pragma once

#include "bench/socket.hpp"

#include <cstdint>
#include <string>

namespace interposed::bench {

/// What the server said about the export it agreed to serve.
struct Export {
    std::uint64_t size = 0;
    std::uint16_t flags = 0;
    bool structured = false;
    std::uint32_t minimum_block = 1;
    std::uint32_t maximum_payload = 32 << 20;
};

/// Fixed newstyle up to and including GO, then the connection is in its transmission phase. With
/// the folder of a client's certificate, over TLS. Throws ProtocolError where the server breaks
/// the protocol or refuses.
Export negotiate(Socket& socket, const std::string& name, bool structured,
                 const std::string& tls_folder);

} // namespace interposed::bench
