#pragma once

#include "mapping/extent.hpp"

#include <optional>

namespace interposed::devices::page_cache {

/// Whether every page of the range is in the page cache now, by cachestat(2). nullopt where the
/// kernel (before 6.5) or a seccomp filter does not let us know. Does not wait for the device.
std::optional<bool> holds(int fd, mapping::Extent extent);

} // namespace interposed::devices::page_cache
