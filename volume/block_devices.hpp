#pragma once

#include "volume/table.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

/// What sysfs tells of block devices. Opens none.
namespace interposed::volume {

/// Of a queue, what a filesystem above relies on or is slowed down by.
struct Queue {
    std::uint64_t logical_block_size = 512; ///< bytes
    bool write_back = false;                ///< flushes are passed on, for there is a cache
    bool fua = false;
    std::string zoned = "none";
    std::uint64_t max_request = 0;         ///< bytes
    std::uint64_t max_discard = 0;         ///< bytes; 0: none
    std::uint64_t discard_granularity = 0; ///< bytes
    std::uint64_t max_write_zeroes = 0;    ///< bytes; 0: none
};

/// What a device has done, and has not done yet.
struct Activity {
    std::uint64_t in_flight = 0; ///< requests
    std::uint64_t done = 0;      ///< requests, ever
};

class BlockDevices {
public:
    /// `root` is another than / for tests.
    explicit BlockDevices(std::filesystem::path root = "/") : root_(std::move(root)) {}

    [[nodiscard]] bool exists(DeviceNumber device) const;
    /// The kernel's name: "dm-3". The number itself where there is no such device.
    [[nodiscard]] std::string name_of(DeviceNumber device) const;
    /// "/dev/nbd3" -> 43:96
    [[nodiscard]] std::optional<DeviceNumber> number_of(const std::string& path) const;
    [[nodiscard]] std::uint64_t sectors_of(DeviceNumber device) const;
    [[nodiscard]] bool is_read_only(DeviceNumber device) const;
    /// Of a partition, its disk's.
    [[nodiscard]] Queue queue_of(DeviceNumber device) const;
    [[nodiscard]] Activity activity_of(DeviceNumber device) const;

    /// Who is stacked on it: mapped devices, md and the like.
    [[nodiscard]] std::vector<DeviceNumber> holders(DeviceNumber device) const;
    /// What it is made of: slaves, a partition's disk. With the file of a loop device it ends.
    [[nodiscard]] std::vector<DeviceNumber> parts(DeviceNumber device) const;
    /// All that are below, however deep, and itself.
    [[nodiscard]] std::set<DeviceNumber> below(DeviceNumber device) const;
    /// The file that a loop device is; empty for others.
    [[nodiscard]] std::string backing_file(DeviceNumber device) const;

private:
    [[nodiscard]] std::filesystem::path folder(DeviceNumber device) const;
    [[nodiscard]] std::vector<DeviceNumber> linked(DeviceNumber device, const char* links) const;

    std::filesystem::path root_;
};

} // namespace interposed::volume
