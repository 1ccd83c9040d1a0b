#pragma once

#include "volume/block_devices.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Which filesystem is where, and which block device is below it.
namespace interposed::volume {

/// A line of /proc/PID/mountinfo.
struct Mount {
    std::uint64_t id = 0;
    DeviceNumber device; ///< of the superblock; major 0 for those without a block device
    std::string point;
    std::string type;
    std::string source;
    std::string options; ///< of the superblock
};

/// Pure. Lines that are none are passed over.
std::vector<Mount> parse_mounts(std::string_view text);
/// "self", or a process.
std::vector<Mount> mounts_of(const std::string& process);

/// The block device below a filesystem: btrfs numbers none, its source does. nullopt: none.
std::optional<DeviceNumber> device_of(const Mount& mount);

/// Finds out what lies on a device, through filesystems, loop devices and whatever is stacked.
class Dependence {
public:
    Dependence(const BlockDevices& devices, std::vector<Mount> mounts, DeviceNumber volume)
        : devices_(devices), mounts_(std::move(mounts)), volume_(volume) {}

    [[nodiscard]] bool device(DeviceNumber device) const;
    [[nodiscard]] bool mount(const Mount& mount) const;
    /// A path that stat(2) can follow, such as /proc/12/fd/3; what is not there is not on it.
    [[nodiscard]] bool path(const std::string& path) const;

private:
    [[nodiscard]] bool device(DeviceNumber device, int depth) const;
    [[nodiscard]] bool mount(const Mount& mount, int depth) const;
    [[nodiscard]] bool path(const std::string& path, int depth) const;

    const BlockDevices& devices_;
    std::vector<Mount> mounts_;
    DeviceNumber volume_;
};

/// Where filesystems are mounted that lie on this device, as this process sees them.
std::vector<std::string> mount_points_on(DeviceNumber volume);

} // namespace interposed::volume
