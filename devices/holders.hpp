#pragma once

#include "devices/file_locks.hpp"
#include "devices/probe.hpp"

#include <span>
#include <string>
#include <vector>

/// Who has a device, for the error message of a claim that was refused. The kernel does not say
/// it; it is put together from mounts, swaps, holders in sysfs, btrfs, loop devices and the open
/// files of all processes. Bounded in time and length; never throws.
namespace interposed::devices {

/// What was found, in words. O_EXCL leaves no trace in /proc, so a process is never more than
/// "open in", unless it has a lock.
struct Holders {
    std::vector<std::string> held_by; ///< proven
    std::vector<std::string> open_in; ///< may be the one

    [[nodiscard]] bool empty() const { return held_by.empty() && open_in.empty(); }
};

/// Who may stand in the way of an exclusive open: of the device, its partitions, its whole disk.
/// `ours` are descriptors of this process that do not count.
Holders who_holds(const DeviceInfo& info, std::span<const int> ours = {}) noexcept;

/// "held by a mount of ext4 on /mnt/a; open in mount.foo (pid 7)"; empty if nobody is visible.
std::string describe_holders(const DeviceInfo& info, std::span<const int> ours = {}) noexcept;

/// Who has the lock that is in the way, and those who merely have the device open.
Holders who_locks(const DeviceInfo& info, const LockConflict& conflict,
                  std::span<const int> ours = {}) noexcept;

/// "held by qemu-nbd (pid 123), whose lock on byte 101 says that it writes"
std::string describe_lock_holders(const DeviceInfo& info, const LockConflict& conflict,
                                  std::span<const int> ours = {}) noexcept;

/// "held by a, b; open in c", "busy; open in c", or nothing. Pure.
std::string to_string(const Holders& holders);

} // namespace interposed::devices
