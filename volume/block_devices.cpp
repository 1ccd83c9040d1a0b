#include "volume/block_devices.hpp"

#include "devices/kernel_files.hpp"

#include <sstream>
#include <system_error>

namespace interposed::volume {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t bytes_per_kib = 1024;

std::string text_in(const fs::path& file) {
    return devices::read_kernel_file(file).value_or("");
}

std::uint64_t number_in(const fs::path& file) {
    return devices::read_kernel_number(file).value_or(0);
}

std::optional<DeviceNumber> device_in(const fs::path& file) {
    const std::string text = text_in(file);
    return text.empty() ? std::nullopt : std::optional(parse_number(text));
}

} // namespace

fs::path BlockDevices::folder(DeviceNumber device) const {
    return root_ / "sys/dev/block" / text_of(device);
}

bool BlockDevices::exists(DeviceNumber device) const {
    std::error_code ignored;
    return fs::exists(folder(device), ignored);
}

std::string BlockDevices::name_of(DeviceNumber device) const {
    std::error_code why;
    const fs::path target = fs::read_symlink(folder(device), why);
    return why ? text_of(device) : target.filename().string();
}

std::optional<DeviceNumber> BlockDevices::number_of(const std::string& path) const {
    return device_in(root_ / "sys/class/block" / fs::path(path).filename() / "dev");
}

std::uint64_t BlockDevices::sectors_of(DeviceNumber device) const {
    return number_in(folder(device) / "size");
}

bool BlockDevices::is_read_only(DeviceNumber device) const {
    return text_in(folder(device) / "ro") == "1";
}

Queue BlockDevices::queue_of(DeviceNumber device) const {
    fs::path queue = folder(device) / "queue";
    std::error_code ignored;
    if (!fs::exists(queue, ignored))
        queue = folder(device) / "../queue";
    const std::string zoned = text_in(queue / "zoned");
    return {.logical_block_size = number_in(queue / "logical_block_size"),
            .write_back = text_in(queue / "write_cache") == "write back",
            .fua = text_in(queue / "fua") == "1",
            .zoned = zoned.empty() ? "none" : zoned,
            .max_request = number_in(queue / "max_sectors_kb") * bytes_per_kib,
            .max_discard = number_in(queue / "discard_max_bytes"),
            .discard_granularity = number_in(queue / "discard_granularity"),
            .max_write_zeroes = number_in(queue / "write_zeroes_max_bytes")};
}

/// The fields are in Documentation/block/stat.rst of Linux; those of discards and flushes are
/// newer.
Activity BlockDevices::activity_of(DeviceNumber device) const {
    std::istringstream fields(text_in(folder(device) / "stat"));
    enum : std::size_t { reads = 0, writes = 4, in_flight = 8, discards = 11, flushes = 15 };
    Activity activity;
    std::uint64_t value = 0;
    for (std::size_t i = 0; fields >> value; ++i) {
        if (i == in_flight)
            activity.in_flight = value;
        else if (i == reads || i == writes || i == discards || i == flushes)
            activity.done += value;
    }
    return activity;
}

std::vector<DeviceNumber> BlockDevices::linked(DeviceNumber device, const char* links) const {
    std::vector<DeviceNumber> found;
    std::error_code why;
    for (const auto& entry : fs::directory_iterator(folder(device) / links, why))
        if (const auto number = device_in(entry.path() / "dev"))
            found.push_back(*number);
    return found;
}

std::vector<DeviceNumber> BlockDevices::holders(DeviceNumber device) const {
    return linked(device, "holders");
}

std::vector<DeviceNumber> BlockDevices::parts(DeviceNumber device) const {
    std::vector<DeviceNumber> found = linked(device, "slaves");
    std::error_code ignored;
    if (fs::exists(folder(device) / "partition", ignored))
        if (const auto disk = device_in(folder(device) / "../dev"))
            found.push_back(*disk);
    return found;
}

std::set<DeviceNumber> BlockDevices::below(DeviceNumber device) const {
    std::set<DeviceNumber> all = {device};
    std::vector<DeviceNumber> waiting = {device};
    while (!waiting.empty()) {
        const DeviceNumber next = waiting.back();
        waiting.pop_back();
        for (const DeviceNumber part : parts(next))
            if (all.insert(part).second)
                waiting.push_back(part);
    }
    return all;
}

std::string BlockDevices::backing_file(DeviceNumber device) const {
    return text_in(folder(device) / "loop/backing_file");
}

} // namespace interposed::volume
