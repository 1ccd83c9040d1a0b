#pragma once

#include "devices/operation.hpp"

#include <cstddef>
#include <cstdint>

/// Reads and writes of any range and buffer on a descriptor that only takes whole, aligned
/// blocks (O_DIRECT). Blocking; each returns 0 or an errno, `done` counts bytes of `extent`.
namespace interposed::devices::whole_blocks {

int read(int fd, std::uint32_t block, std::byte* data, mapping::Extent extent, std::uint64_t& done);

/// Blocks that `extent` covers in part are read first and written back with the new bytes in
/// place: the caller must keep every other write to them away meanwhile (RangeLock).
/// `data` may be null: then zeroes are written.
int write(int fd, std::uint32_t block, const std::byte* data, mapping::Extent extent, bool fua,
          std::uint64_t& done);

/// The whole blocks around a range.
mapping::Extent around(std::uint32_t block, mapping::Extent extent);
/// The whole blocks inside a range; empty, at its offset, where there are none.
mapping::Extent inside(std::uint32_t block, mapping::Extent extent);

} // namespace interposed::devices::whole_blocks
