#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace interposed::server {

/// What happens to a server that others may want to wait for.
enum class EventKind : std::uint8_t {
    connected, ///< a client has chosen an export
    disconnected,
    created,
    removed,
    loaded,  ///< a table, into the inactive slot
    swapped, ///< that table is the live one now
    suspended,
    resumed,
    drained, ///< the last connection of an export has ended
    reloaded,
    flush_error,
};

struct ServerEvent {
    EventKind kind = EventKind::connected;
    std::string export_name; ///< empty where it is about none
    std::string detail;      ///< for people
};

/// Takes events; called on the server's own thread.
using EventSink = std::function<void(const ServerEvent&)>;

} // namespace interposed::server
