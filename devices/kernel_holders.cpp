#include "devices/kernel_holders.hpp"

#include "devices/proc_tables.hpp"

#include <algorithm>
#include <set>

namespace interposed::devices {

namespace fs = std::filesystem;

namespace {

/// These mount under anonymous device numbers; the source is one of their devices, or several
/// with colons between them.
bool names_devices_by_source(const Mount& mount) {
    return mount.type == "btrfs" || mount.type == "bcachefs";
}

bool matches_source(const DeviceFamily& family, const std::string& source, std::string& note) {
    for (std::size_t at = 0; at < source.size();) {
        const std::size_t end = std::min(source.find(':', at), source.size());
        const std::string part = source.substr(at, end - at);
        if (part.starts_with('/') && family.matches_path(part, note))
            return true;
        at = end + 1;
    }
    return false;
}

bool matches_mount(const DeviceFamily& family, const Mount& mount, std::string& note) {
    note.clear();
    if (const auto* member = family.find(mount.device)) {
        note = member->note;
        return true;
    }
    return names_devices_by_source(mount) && matches_source(family, mount.source, note);
}

/// The processes that stand for one mount namespace each, ours first.
std::vector<std::string> namespace_witnesses(const KernelTrees& trees, Deadline deadline) {
    std::vector<std::string> witnesses{"self"};
    std::error_code ignored;
    std::set<fs::path> seen{fs::read_symlink(trees.proc / "self/ns/mnt", ignored)};
    for (const pid_t pid : processes(trees)) {
        if (std::chrono::steady_clock::now() >= deadline)
            break;
        const std::string name = std::to_string(pid);
        const fs::path space = fs::read_symlink(trees.proc / name / "ns/mnt", ignored);
        if (!space.empty() && seen.insert(space).second)
            witnesses.push_back(name);
    }
    return witnesses;
}

std::string namespace_note(const KernelTrees& trees, const std::string& witness) {
    const auto pid = parse_number(witness);
    if (!pid)
        return "";
    return " in the mount namespace of " + process_name(trees, static_cast<pid_t>(*pid));
}

std::string describe_driver(const fs::path& holder) {
    std::string name = holder.filename().string();
    std::replace(name.begin(), name.end(), '!', '/'); // sysfs writes cciss/c0d0 as cciss!c0d0
    const std::string node = "/dev/" + name;
    if (const auto volume = read_kernel_file(holder / "dm/name"))
        return "the device-mapper volume " + printable(*volume) + " (" + node + ")";
    std::error_code ignored;
    if (fs::exists(holder / "md", ignored))
        return "the md array " + node;
    if (fs::exists(holder / "bcache", ignored))
        return "the bcache device " + node;
    return node;
}

} // namespace

std::vector<std::string> mount_holders(const DeviceFamily& family, Deadline deadline,
                                       const KernelTrees& trees) {
    std::vector<std::string> holders;
    std::set<std::string> seen; // a container's copy of a mount is no news
    for (const std::string& witness : namespace_witnesses(trees, deadline)) {
        const auto text = read_kernel_file(trees.proc / witness / "mountinfo");
        for (const Mount& mount : parse_mountinfo(text.value_or(""))) {
            std::string note;
            if (!matches_mount(family, mount, note))
                continue;
            const std::string words =
                "a mount of " + mount.type + " on " + printable(mount.mount_point) + note;
            if (seen.insert(words).second)
                holders.push_back(words + namespace_note(trees, witness));
        }
    }
    return holders;
}

std::vector<std::string> swap_holders(const DeviceFamily& family, const KernelTrees& trees) {
    std::vector<std::string> holders;
    const auto text = read_kernel_file(trees.proc / "swaps");
    for (const Swap& swap : parse_swaps(text.value_or(""))) {
        std::string note;
        if (!swap.deleted && family.matches_path(swap.path, note))
            holders.push_back("swap" + note);
    }
    return holders;
}

std::vector<std::string> driver_holders(const DeviceFamily& family) {
    std::vector<std::string> holders;
    for (const auto& member : family.members())
        for (const auto& holder : entries_of(member.directory / "holders"))
            holders.push_back(describe_driver(holder) + member.note);
    return holders;
}

std::vector<std::string> btrfs_holders(const DeviceFamily& family, const KernelTrees& trees) {
    std::vector<std::string> holders;
    for (const auto& filesystem : entries_of(trees.sys / "fs/btrfs")) {
        const DeviceFamily::Member* member = nullptr;
        std::string names;
        for (const auto& device : entries_of(filesystem / "devices")) {
            names += (names.empty() ? "" : ", ") + device.filename().string();
            const auto number = parse_device_number(read_kernel_file(device / "dev").value_or(""));
            member = member == nullptr && number ? family.find(*number) : member;
        }
        if (member != nullptr)
            holders.push_back("the btrfs filesystem " + filesystem.filename().string() + " (" +
                              names + ")" + member->note);
    }
    return holders;
}

std::vector<std::string> loop_openers(const DeviceFamily& family, const KernelTrees& trees) {
    std::vector<std::string> openers;
    for (const auto& device : entries_of(trees.sys / "block")) {
        auto path = read_kernel_file(device / "loop/backing_file");
        std::string note;
        if (path && !strip_deleted(*path) && family.matches_path(*path, note))
            openers.push_back("/dev/" + device.filename().string() +
                              ", a loop device over this path" + note);
    }
    return openers;
}

} // namespace interposed::devices
