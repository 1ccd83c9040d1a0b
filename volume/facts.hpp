#pragma once

#include "volume/block_devices.hpp"
#include "volume/device_mapper.hpp"
#include "volume/mounts.hpp"
#include "volume/processes.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace interposed::volume {

/// Somebody else who uses a disk that the volume lies on.
struct Neighbour {
    std::string name;
    std::string disk;
    bool overlaps = false; ///< the very same sectors
};

/// All that is looked at before a volume is touched. The checks are over this alone.
struct Facts {
    Mapped volume;
    std::string node; ///< the kernel's name, "dm-3"
    std::uint64_t sectors = 0;
    Queue queue;
    bool has_nbd = false;               ///< the kernel's module is loaded
    std::vector<std::string> disks;     ///< below the volume, by the kernel's names
    std::vector<std::string> read_only; ///< those of them that cannot be written
    std::vector<Neighbour> neighbours;
    std::vector<std::string> stacked; ///< devices on top of the volume
    std::vector<std::string> mounts;  ///< points of the filesystems on it, however stacked
    std::vector<std::string> swaps;
    std::vector<Needed> server; ///< what the server needs of the volume
    std::vector<Needed> own;    ///< what this program needs of it
    pid_t server_process = 0;
    bool server_keeps_state = true; ///< it has a state_dir
    bool is_guarded = false;        ///< this program is to lead it back when there is no server
};

/// The volume by the name that device-mapper knows it by, a node of it in /dev, or the mount point
/// of a filesystem right on it. Throws std::runtime_error, which says what was found instead.
Mapped find_volume(const std::string& wanted);

/// What the server has said that it needs and its process does not show.
using Said = std::vector<Needed>;

/// Throws MapperError.
Facts look_into(const Mapped& volume, pid_t server, const Said& said);

} // namespace interposed::volume
