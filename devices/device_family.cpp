#include "devices/device_family.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sys/sysmacros.h>

namespace interposed::devices {

DeviceFamily::DeviceFamily(const DeviceIdentity& identity, const KernelTrees& trees)
    : identity_(identity) {
    if (identity.kind != DeviceKind::block_device)
        return;
    add(identity.device, trees, "");
    const std::filesystem::path directory = block_directory(trees, identity.device);
    if (is_partition(directory)) {
        const auto disk = read_kernel_file(directory / "../dev");
        if (const auto number = parse_device_number(disk.value_or("")))
            add(*number, trees, "whole disk");
        return;
    }
    for (const auto& entry : entries_of(directory)) {
        if (!is_partition(entry))
            continue;
        const auto partition = read_kernel_file(entry / "dev");
        if (const auto number = parse_device_number(partition.value_or("")))
            add(*number, trees, "partition");
    }
}

void DeviceFamily::add(dev_t device, const KernelTrees& trees, const std::string& relation) {
    Member member{.device = device, .directory = block_directory(trees, device), .note = ""};
    if (!relation.empty()) {
        const auto node = kernel_node(member.directory);
        member.note =
            " (its " + relation + " " + node.value_or(to_string_device_number(device)) + ")";
    }
    members_.push_back(std::move(member));
}

const DeviceFamily::Member* DeviceFamily::find(dev_t device) const {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const Member& m) { return m.device == device; });
    return found == members_.end() ? nullptr : &*found;
}

bool DeviceFamily::matches(const struct statx& found, std::string& note) const {
    note.clear();
    if (S_ISREG(found.stx_mode)) {
        const dev_t device = makedev(found.stx_dev_major, found.stx_dev_minor);
        return identity_ == DeviceIdentity{DeviceKind::regular_file, device, found.stx_ino};
    }
    if (!S_ISBLK(found.stx_mode))
        return false;
    const Member* member = find(makedev(found.stx_rdev_major, found.stx_rdev_minor));
    if (member != nullptr)
        note = member->note;
    return member != nullptr;
}

bool DeviceFamily::matches_path(const std::string& path, std::string& note) const {
    struct statx found = {};
    return ::statx(AT_FDCWD, path.c_str(), AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
                   STATX_TYPE | STATX_INO, &found) == 0 &&
           matches(found, note);
}

} // namespace interposed::devices
