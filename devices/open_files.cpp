#include "devices/open_files.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace interposed::devices {

namespace {

bool passed(Deadline deadline) {
    return std::chrono::steady_clock::now() >= deadline;
}

bool is_ours(pid_t pid, const std::filesystem::path& descriptor, std::span<const int> ours) {
    const auto number = parse_number(descriptor.filename().string());
    return pid == ::getpid() && number &&
           std::find(ours.begin(), ours.end(), static_cast<int>(*number)) != ours.end();
}

/// One process is named once for each relative it has open, however many descriptors it uses.
void add_opener(std::vector<Opener>& openers, Opener found) {
    for (Opener& known : openers) {
        if (known.name == found.name && known.note == found.note) {
            known.locks.insert(known.locks.end(), found.locks.begin(), found.locks.end());
            return;
        }
    }
    openers.push_back(std::move(found));
}

void search_process(const DeviceFamily& family, pid_t pid, std::span<const int> ours,
                    Deadline deadline, const KernelTrees& trees, std::vector<Opener>& openers) {
    const auto directory = trees.proc / std::to_string(pid);
    for (const auto& descriptor : entries_of(directory / "fd")) {
        if (passed(deadline))
            return;
        Opener found;
        if (is_ours(pid, descriptor, ours) || !family.matches_path(descriptor.string(), found.note))
            continue;
        const auto info = read_kernel_file(directory / "fdinfo" / descriptor.filename());
        const DescriptorState state = parse_fdinfo(info.value_or(""));
        if ((state.flags & O_PATH) != 0)
            continue; // names the device, but has not opened it
        found.name = process_name(trees, pid);
        found.locks = state.locks;
        add_opener(openers, std::move(found));
    }
}

} // namespace

bool Opener::locks_byte(off_t byte) const {
    return std::any_of(locks.begin(), locks.end(),
                       [&](const HeldLock& lock) { return lock.covers(byte); });
}

std::string process_name(const KernelTrees& trees, pid_t pid) {
    const std::string number = std::to_string(pid);
    if (pid == ::getpid())
        return "this process (pid " + number + ")";
    const auto name = read_kernel_file(trees.proc / number / "comm");
    return printable(name.value_or("a process")) + " (pid " + number + ")";
}

std::vector<pid_t> processes(const KernelTrees& trees) {
    std::vector<pid_t> pids;
    for (const auto& entry : entries_of(trees.proc))
        if (const auto pid = parse_number(entry.filename().string()))
            pids.push_back(static_cast<pid_t>(*pid));
    std::sort(pids.begin(), pids.end());
    return pids;
}

std::vector<Opener> find_openers(const DeviceFamily& family, std::span<const int> ours,
                                 Deadline deadline, const KernelTrees& trees) {
    std::vector<Opener> openers;
    for (const pid_t pid : processes(trees)) {
        if (passed(deadline))
            break;
        search_process(family, pid, ours, deadline, trees, openers);
    }
    return openers;
}

} // namespace interposed::devices
