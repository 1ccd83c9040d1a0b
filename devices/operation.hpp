#pragma once

#include "mapping/extent.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace interposed::devices {

class RingUser;

enum class OpKind : std::uint8_t { read, write, flush, trim, write_zeroes, block_status, cache };

/// How a run of bytes is stored; the bits are those of NBD's base:allocation.
struct StatusRun {
    static constexpr std::uint32_t hole = 1;
    static constexpr std::uint32_t zero = 2;
    std::uint64_t length = 0; ///< bytes
    std::uint32_t flags = 0;

    friend bool operator==(const StatusRun&, const StatusRun&) = default;
};

/// One block operation on a Layer: what is wanted, and after completion what came of it.
///
/// Whoever submits it owns it, keeps it and its buffer where they are until `done` is called, and
/// is told exactly once: `done` may run on any thread, and inside the call that submits. A layer
/// may change `extent` on the way down (a table makes it the device's).
struct Operation {
    OpKind kind = OpKind::read;
    bool fua = false;          ///< write, trim, write_zeroes: stable before it is done
    bool no_hole = false;      ///< write_zeroes: the space stays allocated
    bool fast = false;         ///< write_zeroes: not by writing; else EOPNOTSUPP, nothing changed
    mapping::Extent extent;    ///< in the layer's own coordinates; ignored by flush
    std::byte* data = nullptr; ///< `extent.length` bytes: read into, or written from (unchanged)
    int pipe = -1; ///< write, with try_now only: the bytes are here, `progress` were taken out
    std::vector<StatusRun>* status = nullptr; ///< block_status: runs from extent.offset on

    void (*done)(Operation&) = nullptr;

    int error = 0;              ///< an errno; 0: all of it was done
    std::uint64_t progress = 0; ///< bytes from extent.offset on that are done; where it failed

    // For the layer that is carrying it out.
    std::chrono::steady_clock::time_point started{};
    RingUser* ring_user = nullptr;
    Operation* next = nullptr; ///< in whatever list it stands

    void complete(int why) {
        error = why;
        done(*this);
    }
};

} // namespace interposed::devices
