#include "devices/file_status.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <span>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace interposed::devices {

namespace {

/// Of what reads as zeroes because SEEK_HOLE says so, what has an extent all the same is space that
/// was set aside; one that is not marked so has been written meanwhile.
class Runs {
public:
    Runs(int fd, std::size_t max_runs, std::vector<StatusRun>& runs)
        : fd_(fd), runs_(runs), enough_(runs.size() + max_runs) {}

    [[nodiscard]] bool full() const { return runs_.size() >= enough_; }

    /// Returns where it is told up to.
    std::uint64_t add_hole(mapping::Extent hole) {
        std::uint64_t at = hole.offset;
        while (at < hole.end() && !full()) {
            const std::uint64_t before = at;
            for (const fiemap_extent& found : look_up({at, hole.end() - at}))
                at = add_extent(found, at, hole.end());
            if (at == before) {
                append(hole.end() - at, StatusRun::hole | StatusRun::zero);
                at = hole.end();
            }
        }
        return at;
    }

    void add_data(std::uint64_t length) { append(length, 0); }

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
    const std::size_t enough_;
    std::array<fiemap_extent, at_once> found_{};
    std::array<std::byte, sizeof(fiemap) + sizeof found_> answer_{};
};

} // namespace

int file_status(int fd, mapping::Extent range, std::size_t max_runs, std::vector<StatusRun>& runs) {
    struct stat file {};
    if (::fstat(fd, &file) != 0)
        return errno;
    const std::uint64_t end = std::min(range.end(), static_cast<std::uint64_t>(file.st_size));
    if (range.offset >= end)
        return EIO; // it has become shorter than its table says
    Runs found(fd, max_runs, runs);
    for (std::uint64_t at = range.offset; at < end && !found.full();) {
        const off_t data = ::lseek(fd, static_cast<off_t>(at), SEEK_DATA);
        if (data == -1 && errno != ENXIO)
            return errno;
        const std::uint64_t data_at =
            data == -1 ? end : std::min(static_cast<std::uint64_t>(data), end);
        if (data_at > at) {
            at = found.add_hole({at, data_at - at});
            continue;
        }
        const off_t hole = ::lseek(fd, static_cast<off_t>(at), SEEK_HOLE);
        if (hole == -1) // tmpfs gives -2^63 for the end of the largest file
            return errno;
        // A file that changes meanwhile may say that data ends where it begins: that is data.
        const auto told = static_cast<std::uint64_t>(hole);
        const std::uint64_t hole_at = told <= at ? end : std::min(told, end);
        found.add_data(hole_at - at);
        at = hole_at;
    }
    return 0;
}

} // namespace interposed::devices
