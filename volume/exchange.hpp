#pragma once

#include "volume/device_mapper.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace interposed::volume {

/// Puts another table into the place of the one that a live volume is expected to have, with a
/// guard beside it. What the filesystems at `mounts` still hold is written before, so that the
/// pause is short. Returns how long I/O was held. Throws MapperError, also where somebody else has
/// changed the volume or is about to, and then it is as it was before and not suspended.
std::chrono::microseconds exchange(const std::string& name, const Table& from, const Table& to,
                                   const std::vector<std::string>& mounts,
                                   std::chrono::seconds limit);

} // namespace interposed::volume
