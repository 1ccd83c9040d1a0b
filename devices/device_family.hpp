#pragma once

#include "devices/kernel_files.hpp"
#include "devices/probe.hpp"

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <vector>

namespace interposed::devices {

/// A device with those whose claims exclude its own: a partition's whole disk, a whole disk's
/// partitions. A regular file is alone.
class DeviceFamily {
public:
    struct Member {
        dev_t device = 0;
        std::filesystem::path directory; ///< in sysfs
        std::string note;                ///< "", or " (its partition /dev/sda1)"
    };

    explicit DeviceFamily(const DeviceIdentity& identity, const KernelTrees& trees = {});

    /// The block devices; none for a regular file.
    [[nodiscard]] const std::vector<Member>& members() const { return members_; }
    /// The member with this number, or null.
    [[nodiscard]] const Member* find(dev_t device) const;
    /// Whether this is the file itself, or a node of a member; `note` is then the member's.
    bool matches(const struct statx& found, std::string& note) const;
    /// The same of a path. Asks no server: a network filesystem that is gone cannot hold us up.
    bool matches_path(const std::string& path, std::string& note) const;

private:
    void add(dev_t device, const KernelTrees& trees, const std::string& relation);

    DeviceIdentity identity_;
    std::vector<Member> members_;
};

} // namespace interposed::devices
