#include "attach/kernel_device.hpp"

#include "devices/kernel_files.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

namespace interposed::attach {

namespace {

constexpr const char* prefix = "/dev/nbd";
constexpr std::uint64_t highest = std::uint64_t{1} << 20; // minor numbers have so many bits
constexpr std::uint64_t sector = 512; // of sysfs, whatever the device's block is

std::filesystem::path sysfs(unsigned index) {
    return "/sys/block/nbd" + std::to_string(index);
}

std::string text_of(const std::filesystem::path& file) {
    return devices::read_kernel_file(file).value_or("");
}

std::uint64_t number_of(const std::filesystem::path& file) {
    return devices::read_kernel_number(file).value_or(0);
}

/// In the order of their numbers; partitions have no entry of their own there.
std::vector<unsigned> indices() {
    std::vector<unsigned> all;
    for (const auto& entry : devices::entries_of("/sys/block")) {
        if (const auto index = index_of("/dev/" + entry.filename().string()))
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
    const auto index = devices::parse_number(std::string_view(device).substr(start.size()));
    if (!index || *index > highest || path_of(static_cast<unsigned>(*index)) != device)
        return std::nullopt;
    return static_cast<unsigned>(*index);
}

std::string path_of(unsigned index) {
    return prefix + std::to_string(index);
}

bool is_connected(unsigned index) {
    std::error_code failed;
    return std::filesystem::exists(sysfs(index) / "pid", failed);
}

bool is_built_upon(unsigned index) {
    return !devices::entries_of(sysfs(index) / "holders").empty();
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
    found.identifier = text_of(sysfs(index) / "backend");
    const std::string pid = text_of(sysfs(index) / "pid");
    const std::string command = text_of("/proc/" + pid + "/comm");
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
