#pragma once

#include "devices/device_family.hpp"
#include "devices/open_files.hpp"

#include <string>
#include <vector>

/// What the kernel itself does with a device. Each function names what it finds in words that fit
/// behind "held by" (the first four: proven) or "open in" (the last).
namespace interposed::devices {

/// "a mount of ext4 on /mnt/a": in this and, as far as we may look, in other mount namespaces.
std::vector<std::string> mount_holders(const DeviceFamily& family, Deadline deadline,
                                       const KernelTrees& trees = {});

/// "swap"
std::vector<std::string> swap_holders(const DeviceFamily& family, const KernelTrees& trees = {});

/// "the device-mapper volume vg0-root (/dev/dm-0)", "the md array /dev/md0": the drivers that
/// keep sysfs's list of holders.
std::vector<std::string> driver_holders(const DeviceFamily& family);

/// "the btrfs filesystem UUID (sdb, sdc)": a mounted one's mounts name only one of its devices.
std::vector<std::string> btrfs_holders(const DeviceFamily& family, const KernelTrees& trees = {});

/// "/dev/loop5, a loop device over this path": by the path, which may lead elsewhere by now.
std::vector<std::string> loop_openers(const DeviceFamily& family, const KernelTrees& trees = {});

} // namespace interposed::devices
