#include "devices/blocking.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

namespace interposed::devices::blocking {

namespace {

off_t as_offset(std::uint64_t bytes) {
    return static_cast<off_t>(bytes);
}

/// Whether an errno means "not this way", after which another way may be tried.
bool unsupported(int error) {
    return error == EOPNOTSUPP || error == ENOSYS || error == ENODEV || error == EINVAL ||
           error == ENOTTY;
}

int try_fallocate(int fd, int mode, mapping::Extent extent) {
    int result = -1;
    do {
        result = ::fallocate(fd, mode, as_offset(extent.offset), as_offset(extent.length));
    } while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int try_range_ioctl(int fd, unsigned long request, mapping::Extent extent) {
    std::array<std::uint64_t, 2> range{extent.offset, extent.length};
    return ::ioctl(fd, request, range.data()) == 0 ? 0 : errno;
}

/// Calls move(at, left), which moves some of what is left, until `done` is all of the extent.
/// Moving nothing is an error: then the device has become shorter than its table says.
template <typename Move>
int until_all_is_moved(mapping::Extent extent, std::uint64_t& done, Move move) {
    while (done < extent.length) {
        const ssize_t moved = move(as_offset(extent.offset + done), extent.length - done);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return moved < 0 ? errno : EIO;
        done += static_cast<std::uint64_t>(moved);
    }
    return 0;
}

} // namespace

int read(int fd, std::byte* data, mapping::Extent extent, std::uint64_t& done) {
    return until_all_is_moved(extent, done, [&](off_t at, std::size_t left) {
        return ::pread(fd, data + done, left, at);
    });
}

int write(int fd, const std::byte* data, mapping::Extent extent, bool fua, std::uint64_t& done) {
    return until_all_is_moved(extent, done, [&](off_t at, std::size_t left) {
        const iovec part{.iov_base = const_cast<std::byte*>(data + done), .iov_len = left};
        return ::pwritev2(fd, &part, 1, at, fua ? RWF_DSYNC : 0);
    });
}

int write_from_pipe(int fd, int pipe, mapping::Extent extent, std::uint64_t& done) {
    return until_all_is_moved(extent, done, [&](loff_t at, std::size_t left) {
        return ::splice(pipe, nullptr, fd, &at, left, SPLICE_F_MOVE);
    });
}

int size(int fd, std::uint64_t& bytes) {
    struct stat found {};
    if (::fstat(fd, &found) != 0)
        return errno;
    if (!S_ISBLK(found.st_mode))
        bytes = static_cast<std::uint64_t>(found.st_size);
    else if (::ioctl(fd, BLKGETSIZE64, &bytes) != 0)
        return errno;
    return 0;
}

int flush(int fd) {
    // Not repeated after EINTR: whether the failed sync has already reported (and so hidden) a
    // write error cannot be known.
    return ::fdatasync(fd) == 0 ? 0 : errno;
}

int trim(int fd, bool block_device, std::uint32_t block, mapping::Extent extent) {
    const std::uint64_t first = (extent.offset + block - 1) / block * block;
    const std::uint64_t last = extent.end() / block * block;
    if (first >= last)
        return 0;
    const mapping::Extent whole{first, last - first};
    const int error = block_device
                          ? try_range_ioctl(fd, BLKDISCARD, whole)
                          : try_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, whole);
    return unsupported(error) ? 0 : error;
}

bool holes_read_as_zeroes(int fd) {
    struct statfs found {};
    return ::fstatfs(fd, &found) == 0 && found.f_type != FUSE_SUPER_MAGIC;
}

// Punching a block device makes it zero the range by itself or not at all
// (block/fops.c, blkdev_fallocate: BLKDEV_ZERO_NOFALLBACK); its other ways may write.
int zero(int fd, bool block_device, ZeroHow how, mapping::Extent extent) {
    if (how.may_punch) {
        const int error = try_fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, extent);
        if (!unsupported(error))
            return error;
    }
    if (how.only_fast && block_device)
        return EOPNOTSUPP;
    const int error = try_fallocate(fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, extent);
    if (!unsupported(error))
        return error;
    const int last = block_device ? try_range_ioctl(fd, BLKZEROOUT, extent) : EOPNOTSUPP;
    return unsupported(last) ? EOPNOTSUPP : last;
}

FastZero zeroes_fast(int fd) {
    struct statfs found {};
    if (::fstatfs(fd, &found) != 0)
        return {};
    switch (static_cast<unsigned>(found.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
        return {.giving_it_back = true, .keeping_space = true};
    case TMPFS_MAGIC: // has no FALLOC_FL_ZERO_RANGE
        return {.giving_it_back = true};
    default:
        return {};
    }
}

bool is_sparse(int fd) {
    constexpr std::uint64_t stat_block = 512;
    struct stat found {};
    return ::fstat(fd, &found) == 0 && static_cast<std::uint64_t>(found.st_blocks) * stat_block <
                                           static_cast<std::uint64_t>(found.st_size);
}

int cache(int fd, mapping::Extent extent) {
    return ::posix_fadvise(fd, as_offset(extent.offset), as_offset(extent.length),
                           POSIX_FADV_WILLNEED);
}

} // namespace interposed::devices::blocking
