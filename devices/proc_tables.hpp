#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// Tables of /proc as values. Pure: text in, values out; lines that make no sense are left out.
namespace interposed::devices {

/// A line of /proc/PID/mountinfo.
struct Mount {
    dev_t device = 0; ///< anonymous (major 0) for btrfs and others
    std::string mount_point;
    std::string type;   ///< "ext4"
    std::string source; ///< mostly a path
    std::uint64_t id = 0;
    std::string options; ///< of the superblock; with escapes, for some have lists of paths

    friend bool operator==(const Mount&, const Mount&) = default;
};

/// A line of /proc/swaps.
struct Swap {
    std::string path; ///< without the mark " (deleted)"
    bool is_file = false;
    bool deleted = false;

    friend bool operator==(const Swap&, const Swap&) = default;
};

/// A "lock:" line of /proc/PID/fdinfo/N: a lock that was taken through this descriptor.
struct HeldLock {
    off_t first = 0;
    off_t last = 0; ///< inclusive; the largest offset for "EOF"

    [[nodiscard]] bool covers(off_t byte) const { return first <= byte && byte <= last; }
    friend bool operator==(const HeldLock&, const HeldLock&) = default;
};

/// What fdinfo says of one descriptor.
struct DescriptorState {
    int flags = 0;               ///< of open(); the kernel does not keep O_EXCL
    std::vector<HeldLock> locks; ///< of byte ranges, whoever's (process or description)
};

std::vector<Mount> parse_mountinfo(std::string_view text);
std::vector<Swap> parse_swaps(std::string_view text);
DescriptorState parse_fdinfo(std::string_view text);

/// "a\040b" as "a b": how the kernel writes paths into tables of words.
std::string unescape(std::string_view word);

/// Takes the mark " (deleted)" off the end of a path; whether it was there.
bool strip_deleted(std::string& path);

/// Safe to print in one line of a log: control characters become '?'.
std::string printable(std::string_view text);

} // namespace interposed::devices
