#pragma once

#include "devices/claim.hpp"
#include "devices/file_locks.hpp"

namespace interposed::devices {

/// Before apply() what the claim is to have, and after it what it had.
class Claim::Change {
public:
    explicit Change(ClaimMode mode) : mode_(mode) {}
    ~Change();
    Change(const Change&) = delete;
    Change& operator=(const Change&) = delete;

    /// Whether I/O has gone to another descriptor, or will.
    [[nodiscard]] bool moves_io() const { return static_cast<bool>(claiming_); }

private:
    friend class Claim;
    ClaimMode mode_;
    FileDescriptor claiming_; ///< only for block devices; of files the locks alone change
    FileDescriptor raised_;
    int locked_ = -1;      ///< the descriptor that has more locks because of this
    LockRights more_ = {}; ///< which, as long as this is not applied
};

} // namespace interposed::devices
