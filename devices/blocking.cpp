#include "devices/blocking.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <span>
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

} // namespace

int read(int fd, std::byte* data, mapping::Extent extent, std::uint64_t& done) {
    while (done < extent.length) {
        const ssize_t got =
            ::pread(fd, data + done, extent.length - done, as_offset(extent.offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno;
        if (got == 0)
            return EIO; // the device has become shorter than its table says
        done += static_cast<std::uint64_t>(got);
    }
    return 0;
}

int write(int fd, const std::byte* data, mapping::Extent extent, bool fua, std::uint64_t& done) {
    while (done < extent.length) {
        const iovec part{.iov_base = const_cast<std::byte*>(data + done),
                         .iov_len = extent.length - done};
        const ssize_t put =
            ::pwritev2(fd, &part, 1, as_offset(extent.offset + done), fua ? RWF_DSYNC : 0);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        if (put == 0)
            return EIO;
        done += static_cast<std::uint64_t>(put);
    }
    return 0;
}

int write_from_pipe(int fd, int pipe, mapping::Extent extent, std::uint64_t& done) {
    while (done < extent.length) {
        loff_t at = as_offset(extent.offset + done);
        const ssize_t put = ::splice(pipe, nullptr, fd, &at, extent.length - done, SPLICE_F_MOVE);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return errno;
        if (put == 0)
            return EIO;
        done += static_cast<std::uint64_t>(put);
    }
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

bool zeroes_fast(int fd) {
    struct statfs found {};
    if (::fstatfs(fd, &found) != 0)
        return false;
    switch (static_cast<unsigned>(found.f_type)) {
    case EXT4_SUPER_MAGIC:
    case XFS_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
        return true;
    default:
        return false;
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

namespace {

/// Adds what reads as zeroes because SEEK_HOLE says so. What has an extent all the same is space
/// that was set aside; one that is not marked so has been written meanwhile.
class HoleRuns {
public:
    HoleRuns(int fd, std::vector<StatusRun>& runs) : fd_(fd), runs_(runs) {}

    void add(mapping::Extent hole) {
        std::uint64_t at = hole.offset;
        while (at < hole.end()) {
            const std::uint64_t before = at;
            for (const fiemap_extent& found : look_up({at, hole.end() - at}))
                at = add_extent(found, at, hole.end());
            if (at == before) {
                append(hole.end() - at, StatusRun::hole | StatusRun::zero);
                return;
            }
        }
    }

private:
    static constexpr std::size_t at_once = 64;

    /// The first extents in the range, if the filesystem tells of any.
    std::span<const fiemap_extent> look_up(mapping::Extent range) {
        fiemap ask{};
        ask.fm_start = range.offset;
        ask.fm_length = range.length;
        ask.fm_extent_count = at_once;
        std::memcpy(answer_.data(), &ask, sizeof ask);
        if (::ioctl(fd_, FS_IOC_FIEMAP, answer_.data()) != 0)
            return {};
        std::memcpy(&ask, answer_.data(), sizeof ask);
        std::memcpy(found_.data(), answer_.data() + sizeof ask,
                    ask.fm_mapped_extents * sizeof found_[0]);
        return std::span(found_).first(ask.fm_mapped_extents);
    }

    /// Returns where it is known up to.
    std::uint64_t add_extent(const fiemap_extent& found, std::uint64_t at, std::uint64_t end) {
        const std::uint64_t found_end = found.fe_logical + found.fe_length;
        const std::uint64_t begin = std::clamp<std::uint64_t>(found.fe_logical, at, end);
        const std::uint64_t stop = std::clamp(found_end, begin, end);
        append(begin - at, StatusRun::hole | StatusRun::zero);
        const bool unwritten = (found.fe_flags & FIEMAP_EXTENT_UNWRITTEN) != 0;
        append(stop - begin, unwritten ? StatusRun::zero : 0);
        return stop;
    }

    void append(std::uint64_t length, std::uint32_t flags) {
        if (length == 0)
            return;
        if (!runs_.empty() && runs_.back().flags == flags)
            runs_.back().length += length;
        else
            runs_.push_back({length, flags});
    }

    int fd_;
    std::vector<StatusRun>& runs_;
    std::array<fiemap_extent, at_once> found_{};
    std::array<std::byte, sizeof(fiemap) + sizeof found_> answer_{};
};

} // namespace

int status(int fd, mapping::Extent extent, std::size_t max_runs, std::vector<StatusRun>& runs) {
    HoleRuns holes(fd, runs);
    std::uint64_t at = extent.offset;
    for (std::size_t count = 0; at < extent.end() && count < max_runs; ++count) {
        const off_t data = ::lseek(fd, as_offset(at), SEEK_DATA);
        if (data < 0 && errno != ENXIO)
            return errno;
        const std::uint64_t data_at =
            data < 0 ? extent.end() : std::min(static_cast<std::uint64_t>(data), extent.end());
        if (data_at > at) {
            holes.add({at, data_at - at});
            at = data_at;
            continue;
        }
        const off_t hole = ::lseek(fd, as_offset(at), SEEK_HOLE);
        if (hole < 0)
            return errno;
        // A file that changes meanwhile may say that data ends where it begins: that is data.
        const std::uint64_t hole_at =
            static_cast<std::uint64_t>(hole) <= at
                ? extent.end()
                : std::min(static_cast<std::uint64_t>(hole), extent.end());
        runs.push_back({hole_at - at, 0});
        at = hole_at;
    }
    return 0;
}

} // namespace interposed::devices::blocking
