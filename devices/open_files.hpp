#pragma once

#include "devices/device_family.hpp"
#include "devices/proc_tables.hpp"

#include <chrono>
#include <span>
#include <string>
#include <vector>

namespace interposed::devices {

using Deadline = std::chrono::steady_clock::time_point;

/// A process that has the device, or a relative of it, open.
struct Opener {
    std::string name; ///< "qemu-nbd (pid 123)", "this process (pid 7)"
    std::string note; ///< which relative, as DeviceFamily::Member has it
    std::vector<HeldLock> locks;

    [[nodiscard]] bool locks_byte(off_t byte) const;
};

/// "qemu-nbd (pid 123)"
std::string process_name(const KernelTrees& trees, pid_t pid);

/// The processes of this PID namespace, oldest number first.
std::vector<pid_t> processes(const KernelTrees& trees);

/// Every process that has a member of the family open and that we may look into: as root all of
/// this PID namespace, else our own. `ours` are descriptors of this process that do not count.
/// Gives up at the deadline with what was found by then.
std::vector<Opener> find_openers(const DeviceFamily& family, std::span<const int> ours,
                                 Deadline deadline, const KernelTrees& trees = {});

} // namespace interposed::devices
