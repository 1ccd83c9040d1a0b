#include "config/quotes.hpp"
#include "volume/facts.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace interposed::volume {
namespace {

using config::in_quotes;

[[noreturn]] void refuse(const std::string& wanted, const std::string& found) {
    throw std::runtime_error(in_quotes(wanted) +
                             ": want a device-mapper volume, by its name, its node in /dev or the "
                             "mount point of a filesystem on it, found " +
                             found);
}

Mapped mapped_or_refuse(const std::string& wanted, DeviceNumber number, const std::string& what) {
    auto found = look_at(number);
    if (!found)
        refuse(wanted, what + BlockDevices().name_of(number) +
                           ", which is no such volume; nothing can be put below it while it is "
                           "in use");
    return std::move(*found);
}

Mapped at_mount_point(const std::string& wanted) {
    const std::string path = std::filesystem::weakly_canonical(wanted).string();
    std::vector<Mount> mounts = mounts_of("self");
    // The last one mounted there hides the others.
    const auto mount = std::find_if(mounts.rbegin(), mounts.rend(),
                                    [&](const Mount& each) { return each.point == path; });
    if (mount == mounts.rend())
        refuse(wanted, "a folder where nothing is mounted");
    const auto device = device_of(*mount);
    if (!device)
        refuse(wanted, "a filesystem on no block device: " + mount->type);
    return mapped_or_refuse(wanted, *device, "a filesystem on ");
}

} // namespace

Mapped find_volume(const std::string& wanted) {
    if (wanted.find('/') == std::string::npos) {
        if (auto found = look_at(wanted))
            return std::move(*found);
        // "dm-3", as the kernel's messages have it
        if (const auto number = BlockDevices().number_of(wanted); number && !wanted.empty())
            return mapped_or_refuse(wanted, *number, "");
        refuse(wanted, "nothing of that name");
    }
    struct stat found {};
    if (::stat(wanted.c_str(), &found) != 0)
        refuse(wanted, "nothing there");
    if (S_ISBLK(found.st_mode))
        return mapped_or_refuse(wanted,
                                {.major = major(found.st_rdev), .minor = minor(found.st_rdev)}, "");
    if (!S_ISDIR(found.st_mode))
        refuse(wanted, "a file");
    return at_mount_point(wanted);
}

} // namespace interposed::volume
