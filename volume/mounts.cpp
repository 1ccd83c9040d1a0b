#include "volume/mounts.hpp"

#include "devices/kernel_files.hpp"
#include "devices/proc_tables.hpp"

#include <fcntl.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace interposed::volume {
namespace {

/// Loop devices on files on loop devices: sooner or later it is enough.
constexpr int deepest = 8;

std::optional<DeviceNumber> device_at(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0 || !S_ISBLK(found.st_mode))
        return std::nullopt;
    return DeviceNumber{.major = major(found.st_rdev), .minor = minor(found.st_rdev)};
}

/// The folders that an overlay is made of: upperdir=A,lowerdir=B:C.
std::vector<std::string> layers_of(const Mount& mount) {
    std::vector<std::string> layers;
    std::istringstream options(mount.options);
    for (std::string option; std::getline(options, option, ',');) {
        const std::size_t equals = option.find("dir=");
        if (equals == std::string::npos)
            continue;
        std::istringstream folders(option.substr(equals + 4));
        for (std::string folder; std::getline(folders, folder, ':');)
            layers.push_back(devices::unescape(folder));
    }
    return layers;
}

} // namespace

std::vector<Mount> parse_mounts(std::string_view text) {
    std::vector<Mount> mounts;
    for (devices::Mount& each : devices::parse_mountinfo(text))
        mounts.push_back({.id = each.id,
                          .device = {.major = major(each.device), .minor = minor(each.device)},
                          .point = std::move(each.mount_point),
                          .type = std::move(each.type),
                          .source = std::move(each.source),
                          .options = std::move(each.options)});
    return mounts;
}

std::vector<Mount> mounts_of(const std::string& process) {
    return parse_mounts(devices::read_kernel_file("/proc/" + process + "/mountinfo").value_or(""));
}

std::optional<DeviceNumber> device_of(const Mount& mount) {
    return mount.device.major != 0 ? mount.device : device_at(mount.source);
}

bool Dependence::device(DeviceNumber device) const {
    return this->device(device, 0);
}

bool Dependence::mount(const Mount& mount) const {
    return this->mount(mount, 0);
}

bool Dependence::path(const std::string& path) const {
    return this->path(path, 0);
}

bool Dependence::device(DeviceNumber device, int depth) const {
    for (const DeviceNumber each : devices_.below(device)) {
        if (each == volume_)
            return true;
        const std::string file = devices_.backing_file(each);
        if (!file.empty() && depth < deepest && path(file, depth + 1))
            return true;
    }
    return false;
}

bool Dependence::mount(const Mount& mount, int depth) const {
    if (mount.type == "overlay") {
        for (const std::string& layer : layers_of(mount))
            if (depth < deepest && path(layer, depth + 1))
                return true;
        return false;
    }
    const auto below = device_of(mount);
    return below && device(*below, depth);
}

bool Dependence::path(const std::string& path, int depth) const {
    struct statx found {};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_TYPE | STATX_MNT_ID, &found) != 0)
        return false;
    if (found.stx_dev_major != 0)
        return device({.major = found.stx_dev_major, .minor = found.stx_dev_minor}, depth);
    for (const Mount& each : mounts_)
        if ((found.stx_mask & STATX_MNT_ID) != 0 && each.id == found.stx_mnt_id)
            return mount(each, depth);
    return false;
}

std::vector<std::string> mount_points_on(DeviceNumber volume) {
    const BlockDevices devices;
    const std::vector<Mount> mounts = mounts_of("self");
    const Dependence here(devices, mounts, volume);
    std::vector<std::string> points;
    for (const Mount& mount : mounts)
        if (here.mount(mount))
            points.push_back(mount.point);
    return points;
}

} // namespace interposed::volume
