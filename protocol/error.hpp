#pragma once

#include <cstdint>

namespace interposed::protocol {

/// The only error numbers that may go over the wire (proto.md, "Error values").
enum class WireError : std::uint32_t {
    none = 0,
    eperm = 1,
    eio = 5,
    enomem = 12,
    einval = 22,
    enospc = 28,
    eoverflow = 75,
    enotsup = 95,
    eshutdown = 108,
};

/// The nearest thing the protocol can say to an errno of this system; the log keeps the reason.
WireError to_wire(int error);

} // namespace interposed::protocol
