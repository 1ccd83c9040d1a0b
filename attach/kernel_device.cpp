#include "attach/kernel_device.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <vector>

namespace interposed::attach {

namespace {

constexpr const char* prefix = "/dev/nbd";
constexpr std::uint64_t sector = 512; // of sysfs, whatever the device's block is

std::filesystem::path sysfs(unsigned index) {
    return "/sys/block/nbd" + std::to_string(index);
}

/// The first line; empty if there is no such file.
std::string line_of(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string line;
    std::getline(in, line);
    return line;
}

std::uint64_t number_of(const std::filesystem::path& file) {
    const std::string line = line_of(file);
    std::uint64_t number = 0;
    std::from_chars(line.data(), line.data() + line.size(), number);
    return number;
}

/// In the order of their numbers; partitions have no entry of their own there.
std::vector<unsigned> indices() {
    std::vector<unsigned> all;
    std::error_code failed;
    for (const auto& entry : std::filesystem::directory_iterator("/sys/block", failed)) {
        if (const auto index = index_of("/dev/" + entry.path().filename().string()))
            all.push_back(*index);
    }
    std::sort(all.begin(), all.end());
    return all;
}

} // namespace

std::optional<unsigned> index_of(const std::string& device) {
    const std::string start = prefix;
    if (!device.starts_with(start))
        return std::nullopt;
    unsigned index = 0;
    const char* const end = device.data() + device.size();
    const auto [stop, error] = std::from_chars(device.data() + start.size(), end, index);
    if (error != std::errc() || stop != end || path_of(index) != device)
        return std::nullopt;
    return index;
}

std::string path_of(unsigned index) {
    return prefix + std::to_string(index);
}

bool is_connected(unsigned index) {
    std::error_code failed;
    return std::filesystem::exists(sysfs(index) / "pid", failed);
}

std::optional<KernelDevice> look_at(unsigned index) {
    std::error_code failed;
    if (!std::filesystem::exists(sysfs(index), failed))
        return std::nullopt;
    KernelDevice found{.index = index,
                       .connected = is_connected(index),
                       .owner = {},
                       .identifier = {},
                       .size = number_of(sysfs(index) / "size") * sector,
                       .block_size = static_cast<std::uint32_t>(
                           number_of(sysfs(index) / "queue/logical_block_size"))};
    if (!found.connected)
        return found;
    found.identifier = line_of(sysfs(index) / "backend");
    const std::string pid = line_of(sysfs(index) / "pid");
    const std::string command = line_of("/proc/" + pid + "/comm");
    found.owner = (command.empty() ? "a process that has ended" : command) + " (pid " + pid + ")";
    return found;
}

std::optional<KernelDevice> find_attached(const std::string& identifier) {
    for (const unsigned index : indices()) {
        auto found = look_at(index);
        if (found && found->connected && found->identifier == identifier)
            return found;
    }
    return std::nullopt;
}

unsigned find_free(const std::set<unsigned>& but) {
    for (const unsigned index : indices()) {
        if (!but.contains(index) && !is_connected(index))
            return index;
    }
    unsigned next = 0;
    while (but.contains(next) || look_at(next))
        ++next;
    return next;
}

} // namespace interposed::attach
