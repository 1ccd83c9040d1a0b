#include "server/export.hpp"

#include "protocol/constants.hpp"

#include <utility>

namespace interposed::server {

void Farewell::wait(std::function<void()> then) {
    {
        const std::lock_guard lock(mutex_);
        if (!closed_) {
            waiting_.push_back(std::move(then));
            return;
        }
    }
    then();
}

void Farewell::closed() {
    std::vector<std::function<void()>> told;
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        told.swap(waiting_);
    }
    for (const auto& then : told)
        then();
}

std::uint16_t Export::flags(protocol::Framing framing, bool has_contexts,
                            bool client_may_write) const {
    namespace flag = protocol::transmission_flag;
    // Multi-conn is true of every export: all connections share one Device for each device, and a
    // flush waits for the device, not for a connection's own writes. So it is of connections that
    // may only read, whoever writes on others.
    unsigned flags = flag::has_flags | flag::send_flush | flag::send_fua | flag::can_multi_conn |
                     flag::send_cache;
    if (layer().limits().rotational)
        flags |= flag::rotational;
    if (read_only || !client_may_write)
        flags |= flag::read_only;
    else
        flags |= flag::send_trim | flag::send_write_zeroes | flag::send_fast_zero;
    if (framing != protocol::Framing::simple)
        flags |= flag::send_df;
    if (framing == protocol::Framing::extended && has_contexts)
        flags |= flag::block_status_payload;
    return static_cast<std::uint16_t>(flags);
}

} // namespace interposed::server
