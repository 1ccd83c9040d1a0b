#include "server/export.hpp"

#include "protocol/constants.hpp"

namespace interposed::server {

std::uint16_t Export::flags(bool structured_replies) const {
    namespace flag = protocol::transmission_flag;
    // Multi-conn is true of every export: all connections share one Device for each device, and a
    // flush waits for the device, not for a connection's own writes.
    unsigned flags = flag::has_flags | flag::send_flush | flag::send_fua | flag::can_multi_conn;
    if (layer().limits().rotational)
        flags |= flag::rotational;
    if (read_only)
        flags |= flag::read_only;
    else
        flags |= flag::send_trim | flag::send_write_zeroes;
    if (structured_replies)
        flags |= flag::send_df;
    return static_cast<std::uint16_t>(flags);
}

} // namespace interposed::server
