#pragma once

#include "bench/socket.hpp"

#include <cstddef>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace interposed::bench {

/// Pieces of memory to send, many in one call. The memory is the caller's and stays as it is
/// until it has been sent.
class Outbox {
public:
    explicit Outbox(std::size_t pieces) { pieces_.reserve(pieces); }

    /// Joins the piece before where the two lie side by side.
    void add(std::span<const std::byte> piece);

    /// Sends what the socket takes; waits for room only if told to. Whether nothing is left.
    bool send(Socket& socket, bool wait);
    [[nodiscard]] bool empty() const { return first_ == pieces_.size(); }

private:
    void drop(std::size_t sent);
    void forget_sent();

    std::vector<iovec> pieces_;
    std::size_t first_ = 0;
};

} // namespace interposed::bench
