#pragma once

#include "devices/probe.hpp"
#include "mapping/extent.hpp"

#include <cstdint>
#include <vector>

namespace interposed::server {

/// A piece of a medium that an export writes to.
struct Area {
    devices::DeviceIdentity medium;
    mapping::Extent where;     ///< of the medium; both ends fit into 64 bits
    bool shared = false;       ///< by the claim of its export
    std::uint32_t owner = 0;   ///< index of the export
    std::uint32_t segment = 0; ///< index in the export's table
};

struct Overlap {
    Area earlier; ///< in the configuration
    Area later;
};

/// Finds areas that must not overlap but do: any two of one export, and two of different exports
/// unless both are shared. Each area is named with one other at most, however many it meets.
std::vector<Overlap> find_overlaps(std::vector<Area> areas);

} // namespace interposed::server
