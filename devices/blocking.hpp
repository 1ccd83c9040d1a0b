#pragma once

#include "devices/operation.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

/// Block operations as plain system calls that may block, on a descriptor, at device offsets.
/// Each returns 0 or an errno; where it matters how far they came, `done` counts bytes.
namespace interposed::devices::blocking {

int read(int fd, std::byte* data, mapping::Extent extent, std::uint64_t& done);
int write(int fd, const std::byte* data, mapping::Extent extent, bool fua, std::uint64_t& done);

/// fdatasync: for a block device also its volatile cache.
int flush(int fd);

/// Gives the space back if the device can; a hint, so a device that cannot is no error. Only
/// whole blocks inside the range are touched.
int trim(int fd, bool block_device, std::uint32_t block, mapping::Extent extent);

/// Makes a block-aligned range read as zeroes, allocated unless `may_punch`. EOPNOTSUPP: the
/// device has no way for it but writing.
int zero(int fd, bool block_device, bool may_punch, mapping::Extent extent);

/// Whether a hole punched into the file is sure to read as zeroes. Not on FUSE, where it is what a
/// program makes of it: nbdfuse, for one, makes it a TRIM.
bool holes_read_as_zeroes(int fd);

/// Which runs of the range are holes (SEEK_HOLE, SEEK_DATA); at least one run is appended, and
/// all together cover a leading part of the range. At most `max_runs` are.
int status(int fd, mapping::Extent extent, std::size_t max_runs, std::vector<StatusRun>& runs);

} // namespace interposed::devices::blocking
