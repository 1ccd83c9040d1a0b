#pragma once

#include "protocol/transmission.hpp"
#include "server/session.hpp"

#include <array>
#include <vector>

namespace interposed::server {

/// A request that could not be answered at once. Used again and again by its session.
struct Session::Pending final : devices::Operation, Outbox::Owner {
    explicit Pending(Session& of) : session(of) {}

    /// The last byte of the reply is gone.
    void sent() override { session.release(*this); }

    Session& session;
    protocol::Request request;
    RequestMeter::Clock::time_point received_at{};
    Buffer buffer;                        ///< what is read, or written
    std::size_t charge = 0;               ///< bytes in flight besides the buffer
    bool fetches = false;                 ///< no request of its own: part of a reply that has begun
    std::uint64_t done_before = 0;        ///< bytes of a WRITE that were written as they arrived
    std::vector<devices::StatusRun> runs; ///< a BLOCK_STATUS's; or what a sparse READ consists of
    ContextSet contexts;                  ///< what a BLOCK_STATUS asks for
    std::array<std::byte, protocol::max_data_chunk_size> header{};
};

} // namespace interposed::server
