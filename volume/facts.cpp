#include "volume/facts.hpp"

#include "devices/kernel_files.hpp"
#include "devices/proc_tables.hpp"

#include <algorithm>
#include <set>
#include <unistd.h>

namespace interposed::volume {
namespace {

std::vector<std::string> swaps_on(const Dependence& volume) {
    std::vector<std::string> found;
    const auto text = devices::read_kernel_file("/proc/swaps").value_or("");
    for (const devices::Swap& swap : devices::parse_swaps(text)) {
        const auto number = swap.is_file ? std::nullopt : BlockDevices().number_of(swap.path);
        if (number ? volume.device(*number) : volume.path(swap.path))
            found.push_back(swap.path);
    }
    return found;
}

bool lies_on(const Mapped& other, const std::vector<Area>& areas) {
    const std::vector<Area> theirs = linear_areas(other.live);
    return std::any_of(areas.begin(), areas.end(), [&](const Area& area) {
        return std::any_of(theirs.begin(), theirs.end(),
                           [&](const Area& their) { return overlap(area, their); });
    });
}

void look_at_disks(Facts& facts, const BlockDevices& devices) {
    const std::vector<Area> areas = linear_areas(facts.volume.live);
    std::set<DeviceNumber> disks;
    for (const Area& area : areas)
        disks.insert(area.device);
    for (const DeviceNumber disk : disks) {
        const std::string name = devices.name_of(disk);
        facts.disks.push_back(name);
        if (devices.is_read_only(disk))
            facts.read_only.push_back(name);
        for (const DeviceNumber holder : devices.holders(disk)) {
            if (holder == facts.volume.number)
                continue;
            const auto other = look_at(holder);
            facts.neighbours.push_back({.name = other ? other->name : devices.name_of(holder),
                                        .disk = name,
                                        .overlaps = other && lies_on(*other, areas)});
        }
    }
}

void remove_duplicates(std::vector<Needed>& needed) {
    std::vector<Needed> once;
    for (Needed& each : needed)
        if (std::find(once.begin(), once.end(), each) == once.end())
            once.push_back(std::move(each));
    needed = std::move(once);
}

} // namespace

Facts look_into(const Mapped& volume, pid_t server, const Said& said) {
    const BlockDevices devices;
    const std::vector<Mount> mounts = mounts_of("self");
    Facts facts;
    facts.volume = volume;
    facts.node = devices.name_of(volume.number);
    facts.sectors = devices.sectors_of(volume.number);
    facts.queue = devices.queue_of(volume.number);
    facts.has_nbd = std::filesystem::exists("/sys/module/nbd");
    look_at_disks(facts, devices);
    for (const DeviceNumber holder : devices.holders(volume.number))
        facts.stacked.push_back(devices.name_of(holder));

    const Dependence here(devices, mounts, volume.number);
    facts.mounts = mount_points_on(volume.number);
    facts.swaps = swaps_on(here);
    facts.own = needed_on(here, ::getpid());

    const Dependence there(devices, mounts_of(std::to_string(server)), volume.number);
    facts.server = needed_on(there, server);
    const std::string root = "/proc/" + std::to_string(server) + "/root";
    for (const Needed& each : said)
        if (there.path(root + each.path))
            facts.server.push_back(each);
    remove_duplicates(facts.server);
    facts.server_process = server;
    return facts;
}

} // namespace interposed::volume
