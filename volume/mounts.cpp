#include "volume/mounts.hpp"

#include <charconv>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace interposed::volume {
namespace {

/// Loop devices on files on loop devices: sooner or later it is enough.
constexpr int deepest = 8;

/// Blanks in names are written "\040".
std::string without_escapes(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned byte = 0;
        const bool escape =
            text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, byte, 8).ptr ==
                text.data() + i + 4;
        plain += escape ? static_cast<char>(byte) : text[i];
        i += escape ? 3 : 0;
    }
    return plain;
}

std::optional<Mount> parse_mount(const std::string& line) {
    std::istringstream words(line);
    Mount mount;
    std::string parent;
    std::string number;
    std::string root;
    std::string word;
    words >> mount.id >> parent >> number >> root >> mount.point;
    while (words >> word && word != "-") {
    }
    words >> mount.type >> mount.source >> mount.options;
    if (!words && mount.source.empty())
        return std::nullopt;
    try {
        mount.device = parse_number(number);
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
    mount.point = without_escapes(mount.point);
    mount.source = without_escapes(mount.source);
    return mount;
}

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
            layers.push_back(without_escapes(folder));
    }
    return layers;
}

} // namespace

std::vector<Mount> parse_mounts(std::string_view text) {
    std::vector<Mount> mounts;
    std::istringstream lines{std::string(text)};
    for (std::string line; std::getline(lines, line);)
        if (auto mount = parse_mount(line))
            mounts.push_back(std::move(*mount));
    return mounts;
}

std::vector<Mount> mounts_of(const std::string& process) {
    std::ifstream in("/proc/" + process + "/mountinfo");
    std::ostringstream text;
    text << in.rdbuf();
    return parse_mounts(text.str());
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

} // namespace interposed::volume
