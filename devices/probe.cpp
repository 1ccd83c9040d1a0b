#include "devices/probe.hpp"

#include "devices/kernel_files.hpp"
#include "devices/this_user.hpp"

#include <cerrno>
#include <filesystem>

namespace interposed::devices {

namespace fs = std::filesystem;

namespace {

/// sysfs counts in these, whatever the device's own block size is.
constexpr std::uint64_t sysfs_sector = 512;

constexpr const char* wanted = "want a block device or a regular file, found ";

std::string subject(const std::string& path) {
    return "device \"" + path + "\": ";
}

const char* file_type(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "a directory";
    case S_IFCHR:
        return "a character device";
    case S_IFSOCK:
        return "a socket";
    case S_IFIFO:
        return "a named pipe";
    default:
        return "neither";
    }
}

/// stat() said no: whether nothing is there, or it cannot be reached.
[[noreturn]] void throw_unreachable(const DeviceInfo& info, int error) {
    const std::string text = subject(info.path) + wanted;
    if (error != ENOENT)
        throw std::runtime_error(text + denied_to(error));
    std::error_code ignored;
    const fs::path target = fs::read_symlink(info.node, ignored);
    if (!target.empty())
        throw DeviceAbsent(text + "a symbolic link to \"" + target.string() +
                           "\", which does not exist");
    throw DeviceAbsent(text + "nothing there");
}

struct stat stat_device(const DeviceInfo& info) {
    struct stat found = {};
    if (::stat(info.node.c_str(), &found) != 0)
        throw_unreachable(info, errno);
    return found;
}

/// The node in /dev for "8:16", which sysfs must know.
std::string node_of_number(const std::string& name, dev_t device) {
    const auto node = kernel_node(block_directory({}, device));
    if (!node)
        throw DeviceAbsent(subject(name) + "want a block device with this number, found none");
    return *node;
}

/// What a partition has in common with its disk is in the disk's directory.
fs::path queue_directory(const fs::path& directory) {
    return is_partition(directory) ? directory / "../queue" : directory / "queue";
}

PhysicalPlace place_of(const DeviceInfo& info, const fs::path& directory) {
    if (!is_partition(directory))
        return {.medium = info.identity, .start = 0};
    const auto disk = parse_device_number(read_kernel_file(directory / "../dev").value_or(""));
    const auto start = read_kernel_number(directory / "start");
    if (!disk || !start)
        throw std::runtime_error(subject(info.path) +
                                 "want the disk and the start of this partition, found none in " +
                                 directory.string());
    return {.medium = {.kind = DeviceKind::block_device, .device = *disk, .inode = 0},
            .start = *start * sysfs_sector};
}

std::uint64_t block_device_size(const DeviceInfo& info, const fs::path& directory) {
    const auto sectors = read_kernel_number(directory / "size");
    if (!sectors)
        throw DeviceAbsent(subject(info.path) + "want its size from sysfs, found no block device " +
                           to_string(info.identity) + " there");
    if (*sectors == 0)
        throw std::runtime_error(subject(info.path) +
                                 "want a device with a medium, found one of size 0");
    return *sectors * sysfs_sector;
}

void probe_block_device(DeviceInfo& info) {
    const fs::path directory = block_directory({}, info.identity.device);
    info.size = block_device_size(info, directory);
    info.place = place_of(info, directory);
    const fs::path queue = queue_directory(directory);
    info.logical_block_size = static_cast<std::uint32_t>(
        read_kernel_number(queue / "logical_block_size").value_or(sysfs_sector));
    info.zeroes_by_command = read_kernel_number(queue / "write_zeroes_max_bytes").value_or(0) != 0;
    info.rotational = read_kernel_number(queue / "rotational").value_or(0) != 0;
    info.read_only = read_kernel_number(directory / "ro").value_or(0) != 0;
}

void probe_regular_file(DeviceInfo& info, const struct stat& found) {
    info.size = static_cast<std::uint64_t>(found.st_size);
    info.place = {.medium = info.identity, .start = 0};
}

} // namespace

std::string to_string(const DeviceIdentity& identity) {
    const std::string number = to_string_device_number(identity.device);
    if (identity.kind == DeviceKind::block_device)
        return number;
    return number + " inode " + std::to_string(identity.inode);
}

std::optional<DeviceIdentity> identity_of(const struct stat& found) {
    if (S_ISBLK(found.st_mode))
        return DeviceIdentity{DeviceKind::block_device, found.st_rdev, 0};
    if (S_ISREG(found.st_mode))
        return DeviceIdentity{DeviceKind::regular_file, found.st_dev, found.st_ino};
    return std::nullopt;
}

DeviceInfo probe(const std::string& name) {
    DeviceInfo info;
    info.path = name;
    const auto number = parse_device_number(name);
    info.node = number ? node_of_number(name, *number) : name;
    const struct stat found = stat_device(info);
    const auto identity = identity_of(found);
    if (!identity)
        throw std::runtime_error(subject(name) + wanted + file_type(found.st_mode));
    if (number && *identity != DeviceIdentity{DeviceKind::block_device, *number, 0})
        throw std::runtime_error(subject(name) + "want it at \"" + info.node + "\", found " +
                                 to_string(*identity) + " there");
    info.identity = *identity;
    if (identity->kind == DeviceKind::block_device)
        probe_block_device(info);
    else
        probe_regular_file(info, found);
    return info;
}

} // namespace interposed::devices
