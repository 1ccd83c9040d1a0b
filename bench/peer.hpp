#pragma once

#include "bench/socket.hpp"

#include <cstdint>
#include <sys/types.h>
#include <vector>

namespace interposed::bench {

/// A process that answers requests from one piece of memory and looks at nothing but their
/// lengths: what the sockets, and two processes on these CPUs, allow a server at most.
class Peer {
public:
    static constexpr std::uint64_t size = std::uint64_t{1} << 40;

    Peer(unsigned connections, bool tcp, std::uint32_t block, std::chrono::seconds limit);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    /// The client's end of a connection; each only once.
    Socket take(unsigned which) { return std::move(ends_[which]); }
    [[nodiscard]] pid_t pid() const { return pid_; }

private:
    std::vector<Socket> ends_;
    pid_t pid_ = -1;
};

} // namespace interposed::bench
