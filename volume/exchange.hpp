#pragma once

#include "volume/device_mapper.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace interposed::volume {

/// Puts another table into a live volume, with a guard beside it. What the filesystems at `mounts`
/// still hold is written before, so that the pause is short. Returns how long I/O was held. Throws
/// MapperError, and then the volume is as it was before and not suspended.
std::chrono::microseconds exchange(const std::string& name, const Table& to,
                                   const std::vector<std::string>& mounts, Switch how);

} // namespace interposed::volume
