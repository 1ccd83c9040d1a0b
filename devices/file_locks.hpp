#pragma once

#include "devices/claim.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

/// qemu's image locks: byte locks by which we, qemu, qemu-img and qemu-nbd respect each other.
///
/// A right is a bit i. Who uses it holds a read lock on byte 100 + i, who does not let others use
/// it holds one on byte 200 + i; each side then tests the other's byte. They are locks of the
/// open file description: closing another descriptor of the same file leaves them alone.
namespace interposed::devices {

/// Sets of rights, as bits.
struct LockRights {
    static constexpr std::uint8_t read = 1 << 0;
    static constexpr std::uint8_t write = 1 << 1;
    static constexpr std::uint8_t resize = 1 << 3; // 1 << 2 is qemu's own rewriting of equal data

    std::uint8_t used = 0;    ///< what we do
    std::uint8_t refused = 0; ///< what nobody else may do

    friend bool operator==(const LockRights&, const LockRights&) = default;
};

/// The rights that a claim means.
LockRights lock_rights(ClaimMode mode, Access access);

/// Somebody holds a lock that excludes ours.
struct LockConflict {
    off_t byte = 0;
    pid_t pid = 0; ///< of a process's own lock; 0 where the lock is an open file description's
};

/// What a lock on this byte says about its holder: "it writes".
std::string lock_meaning(off_t byte);

/// Takes the locks that `wanted` needs beyond `held`, or none: then says which one is in the way.
/// `fd` must be open for reading. Throws std::system_error where the filesystem has no such locks.
std::optional<LockConflict> take_locks(int fd, LockRights wanted, LockRights held = {});

/// The same for a description that is to take the place of another of ours, which has them: as that
/// one would be in the way of any test, nothing is tested.
std::optional<LockConflict> copy_locks(int fd, LockRights wanted);

/// Gives locks back.
void drop_locks(int fd, LockRights rights) noexcept;

/// What of `wanted` goes beyond `held`.
LockRights beyond(LockRights wanted, LockRights held);

} // namespace interposed::devices
