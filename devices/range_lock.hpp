#pragma once

#include "devices/operation.hpp"

#include <deque>
#include <mutex>
#include <vector>

namespace interposed::devices {

/// Keeps writes apart from read-modify-writes of the same blocks, so that a small write never
/// puts back old bytes over a neighbour's new ones. Plain writes do not exclude each other: that
/// is their clients' affair. First come, first served: who waits is not overtaken by those that
/// overlap it. Thread-safe; never blocks: an operation that must wait is kept, and handed out by
/// the unlock that frees its range.
class RangeLock {
public:
    enum class Mode : std::uint8_t { plain, read_modify_write };

    /// True: the operation holds the range. False: it was queued.
    bool lock(Operation& operation, mapping::Extent range, Mode mode);

    /// Gives the range back. Returns the operations that hold theirs now, linked by `next`.
    Operation* unlock(Operation& operation);

private:
    struct Entry {
        mapping::Extent range;
        Mode mode;
        Operation* operation;

        [[nodiscard]] bool conflicts(const Entry& other) const {
            return (mode == Mode::read_modify_write || other.mode == Mode::read_modify_write) &&
                   range.overlaps(other.range);
        }
    };
    [[nodiscard]] bool must_wait(const Entry& entry, std::size_t waiting_before) const;

    std::mutex mutex_;
    std::vector<Entry> held_;
    std::deque<Entry> waiting_;
    std::size_t modifying_ = 0; ///< how many of both lists are read-modify-writes
};

} // namespace interposed::devices
