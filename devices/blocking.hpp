#pragma once

#include "devices/operation.hpp"

#include <cstddef>
#include <cstdint>

/// Block operations as plain system calls that may block, on a descriptor, at device offsets.
/// Each returns 0 or an errno; where it matters how far they came, `done` counts bytes.
namespace interposed::devices::blocking {

int read(int fd, std::byte* data, mapping::Extent extent, std::uint64_t& done);
int write(int fd, const std::byte* data, mapping::Extent extent, bool fua, std::uint64_t& done);

/// Takes `extent.length` bytes, which must be there, out of a pipe; `done` counts those that were.
/// EINVAL with nothing done: the filesystem does not do that.
int write_from_pipe(int fd, int pipe, mapping::Extent extent, std::uint64_t& done);

/// Bytes, of a regular file or a block device, as it is now. Takes no lock that somebody holds who
/// waits for the device, as lseek() does.
int size(int fd, std::uint64_t& bytes);

/// fdatasync: for a block device also its volatile cache.
int flush(int fd);

/// Gives the space back if the device can; a hint, so a device that cannot is no error. Only
/// whole blocks inside the range are touched.
int trim(int fd, bool block_device, std::uint32_t block, mapping::Extent extent);

struct ZeroHow {
    bool may_punch = false; ///< the space may be given back
    bool only_fast = false; ///< no way that takes longer the longer the range is
};
/// Makes a block-aligned range read as zeroes. EOPNOTSUPP: the device has no (such) way for it but
/// writing, and nothing has changed.
int zero(int fd, bool block_device, ZeroHow how, mapping::Extent extent);

/// Whether the filesystem of a file is known for making zeroes without writing them.
struct FastZero {
    bool giving_it_back = false; ///< the space
    bool keeping_space = false;
};
FastZero zeroes_fast(int fd);

/// Whether the file takes less space than it has bytes.
bool is_sparse(int fd);

/// Lets the range be read into the page cache; does not wait until it is there.
int cache(int fd, mapping::Extent extent);

/// Whether a hole punched into the file is sure to read as zeroes. Not on FUSE, where it is what a
/// program makes of it: nbdfuse, for one, makes it a TRIM.
bool holes_read_as_zeroes(int fd);

} // namespace interposed::devices::blocking
