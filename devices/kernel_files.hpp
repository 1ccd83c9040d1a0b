#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

/// The kernel's small text files: attributes of block devices in sysfs, tables in proc. Reading
/// them opens no device.
namespace interposed::devices {

/// Where the kernel shows itself; tests point them at trees of their own.
struct KernelTrees {
    std::filesystem::path proc = "/proc";
    std::filesystem::path sys = "/sys";
};

/// The whole file without its last newline; nullopt if it cannot be read.
std::optional<std::string> read_kernel_file(const std::filesystem::path& file);

/// A decimal number and nothing else.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// "8:16" as a device number.
std::optional<dev_t> parse_device_number(std::string_view text);

std::string to_string_device_number(dev_t device);

/// The number in a file, if there is one.
std::optional<std::uint64_t> read_kernel_number(const std::filesystem::path& file);

/// The sysfs directory of a block device: "/sys/dev/block/8:16".
std::filesystem::path block_directory(const KernelTrees& trees, dev_t device);

bool is_partition(const std::filesystem::path& block_directory);

/// "/dev/sda1", as the kernel names the device with this directory; nullopt if it does not.
std::optional<std::string> kernel_node(const std::filesystem::path& block_directory);

/// The entries of a directory, sorted; none if it cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& directory);

} // namespace interposed::devices
