#pragma once

#include "bench/wire.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace interposed::bench {

/// A request in flight.
struct Slot {
    Request request;
    std::uint64_t cookie = 0;
    std::uint64_t sent_ns = 0;
    std::uint32_t received = 0; ///< bytes of a READ's payload so far
    bool in_flight = false;
};

/// The places for requests in flight of one connection. They are taken in turn, so that the
/// headers of a batch lie side by side and leave in one piece.
class Slots {
public:
    explicit Slots(std::size_t depth);

    [[nodiscard]] std::size_t depth() const { return slots_.size(); }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_; }
    [[nodiscard]] bool full() const { return in_flight_ == slots_.size(); }
    Slot& operator[](std::size_t index) { return slots_[index]; }

    /// A free place with a cookie that was never used before. There must be one.
    std::size_t take();

    /// The place a reply names. Throws ProtocolError if nothing with this cookie is in flight.
    std::size_t find(std::uint64_t cookie) const;
    void free(std::size_t index);

private:
    // The low bits of a cookie are the index, the rest counts up: a reply that comes twice, or
    // for a request that was never made, names nothing in flight.
    static constexpr unsigned index_bits = 16;

    std::vector<Slot> slots_;
    std::vector<std::size_t> free_; ///< a ring of all free places, oldest at next_
    std::size_t next_ = 0;
    std::size_t in_flight_ = 0;
    std::uint64_t turn_ = 0;
};

} // namespace interposed::bench
