#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// Tables in device-mapper's own words. Pure.
namespace interposed::volume {

/// A block device as the kernel numbers it: "253:0".
struct DeviceNumber {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;

    friend auto operator<=>(const DeviceNumber&, const DeviceNumber&) = default;
};

std::string text_of(DeviceNumber number);
/// Throws std::runtime_error for what is no "MAJOR:MINOR".
DeviceNumber parse_number(std::string_view text);

/// One line of `dmsetup table`.
struct Target {
    std::uint64_t start = 0;  ///< sectors of 512 bytes
    std::uint64_t length = 0; ///< sectors
    std::string type;
    std::string arguments;

    friend bool operator==(const Target&, const Target&) = default;
};

using Table = std::vector<Target>;

/// "0 2048 linear 253:0 384"
std::string line_of(const Target& target);
std::vector<std::string> lines_of(const Table& table);
/// Throws std::runtime_error, naming the line.
Target parse_line(std::string_view line);
Table parse_lines(const std::vector<std::string>& lines);

/// Sectors.
std::uint64_t size_of(const Table& table);

/// What a linear target lies on.
struct Area {
    DeviceNumber device;
    std::uint64_t start = 0;  ///< sectors of the device
    std::uint64_t length = 0; ///< sectors

    friend bool operator==(const Area&, const Area&) = default;
};

/// Throws std::runtime_error for what is no linear target with a device and an offset.
Area area_of(const Target& target);

/// Of the linear targets; those of others are passed over.
std::vector<Area> linear_areas(const Table& table);

bool overlap(const Area& one, const Area& other);

/// One linear target: the whole of a device.
Table whole_of(DeviceNumber device, std::uint64_t sectors);

} // namespace interposed::volume
