#pragma once

#include "mapping/extent.hpp"

#include <compare>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/stat.h>
#include <sys/types.h>

/// What can be learnt of a device without claiming it, and for block devices without opening it.
namespace interposed::devices {

enum class DeviceKind : std::uint8_t { block_device, regular_file };

/// What makes two paths the same device: st_rdev for block devices, st_dev and st_ino for
/// files. Never the path: a symlink, a by-id name and a hard link are all the same device.
struct DeviceIdentity {
    DeviceKind kind = DeviceKind::regular_file;
    dev_t device = 0;        ///< st_rdev of a block device, st_dev of a file
    std::uint64_t inode = 0; ///< 0 for block devices

    friend auto operator<=>(const DeviceIdentity&, const DeviceIdentity&) = default;
};

/// "8:16" for block devices, "259:2 inode 1234" for files: for messages.
std::string to_string(const DeviceIdentity& identity);

/// The identity of what a stat call found; nullopt for what cannot be a device of ours.
std::optional<DeviceIdentity> identity_of(const struct stat& found);

/// Where a device's bytes really lie, for finding overlaps: a partition is so many bytes of its
/// whole disk; a whole disk and a file start at 0 of themselves.
struct PhysicalPlace {
    DeviceIdentity medium;
    std::uint64_t start = 0; ///< bytes
};

struct DeviceInfo {
    std::string path; ///< as the operator wrote it, for messages
    std::string node; ///< what to open: `path`, or the /dev/NAME that "major:minor" stands for
    DeviceIdentity identity;
    PhysicalPlace place;
    std::uint64_t size = 0;               ///< bytes
    std::uint32_t logical_block_size = 1; ///< bytes; 1 for regular files
    bool rotational = false;
    bool zeroes_by_command = false; ///< a block device that zeroes without being sent zeroes
    bool read_only = false;         ///< block device marked read-only (BLKROGET, sysfs ro)
};

/// There is no such device (yet): nothing at the path, a link that leads nowhere, a node without
/// a driver behind it. Everything else that is wrong is a plain std::runtime_error.
class DeviceAbsent : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Looks at a device by stat and sysfs; takes no claim, opens nothing, changes nothing.
/// `name` is a path, or "major:minor" of a block device, which is found through sysfs.
/// Throws DeviceAbsent or std::runtime_error with the path, what was wanted and what was found
/// (a directory, a character device, a drive without medium, ...).
DeviceInfo probe(const std::string& name);

} // namespace interposed::devices
