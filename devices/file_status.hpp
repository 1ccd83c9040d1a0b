#pragma once

#include "devices/operation.hpp"

#include <cstddef>
#include <vector>

namespace interposed::devices {

/// Which runs of a file's range read as zeroes, and which of those take no space. SEEK_HOLE alone
/// does not tell space that was set aside (fallocate) from none, so FS_IOC_FIEMAP is asked too,
/// where there is one. At least one run is appended, and all together cover a leading part of the
/// range: they end where the file does, or when there are `max_runs` of them and a few. Blocking;
/// returns 0 or an errno: EIO where all of the range is behind the end of the file.
int file_status(int fd, mapping::Extent range, std::size_t max_runs, std::vector<StatusRun>& runs);

} // namespace interposed::devices
