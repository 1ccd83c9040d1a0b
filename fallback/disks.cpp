#include "fallback/disks.hpp"

#include "devices/blocking.hpp"
#include "devices/kernel_files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <map>
#include <stdexcept>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>

namespace interposed::fallback {
namespace {

using devices::FileDescriptor;
using mapping::Extent;
namespace blocking = devices::blocking;

constexpr std::uint64_t sector = 512; // bytes

FileDescriptor open_disk(volume::DeviceNumber number) {
    const auto node =
        devices::kernel_node(devices::block_directory({}, makedev(number.major, number.minor)));
    const std::string path = node.value_or("the device " + volume::text_of(number));
    FileDescriptor fd(::open(path.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC));
    if (!fd)
        throw std::runtime_error(path +
                                 ": cannot be opened: " + std::generic_category().message(errno));
    struct stat found {};
    if (::fstat(fd.get(), &found) != 0 || !S_ISBLK(found.st_mode) ||
        found.st_rdev != makedev(number.major, number.minor))
        throw std::runtime_error(path + ": want the device " + volume::text_of(number) +
                                 ", found another");
    return fd;
}

bool is_block_device(int fd) {
    struct stat found {};
    return ::fstat(fd, &found) == 0 && S_ISBLK(found.st_mode);
}

} // namespace

Disks Disks::of(const volume::Table& table) {
    std::vector<FileDescriptor> files;
    std::map<volume::DeviceNumber, std::uint32_t> known;
    std::vector<mapping::Segment> segments;
    for (const volume::Target& target : table) {
        const volume::Area area = volume::area_of(target);
        const auto [at, is_new] =
            known.emplace(area.device, static_cast<std::uint32_t>(files.size()));
        if (is_new)
            files.push_back(open_disk(area.device));
        segments.push_back({.start = target.start * sector,
                            .length = target.length * sector,
                            .device = at->second,
                            .device_offset = area.start * sector});
    }
    return {std::move(files), mapping::Table(std::move(segments))};
}

Disks::Disks(std::vector<FileDescriptor> files, mapping::Table table) : table_(std::move(table)) {
    for (FileDescriptor& each : files) {
        const bool block_device = is_block_device(each.get());
        files_.push_back({.fd = std::move(each), .block_device = block_device});
    }
}

/// Calls each(file, extent on it, bytes before it) for every piece, until one gives an errno.
template <typename Each>
int Disks::in_each(Extent extent, Each each) {
    for (std::uint64_t done = 0; done < extent.length;) {
        const mapping::Piece piece =
            table_.first_piece({.offset = extent.offset + done, .length = extent.length - done});
        if (const int error = each(files_[piece.device], piece.extent, done); error != 0)
            return error;
        done += piece.extent.length;
    }
    return 0;
}

int Disks::read(Extent extent, std::byte* into) {
    return in_each(extent, [into](const File& file, Extent part, std::uint64_t before) {
        std::uint64_t done = 0;
        return blocking::read(file.fd.get(), into + before, part, done);
    });
}

int Disks::write(Extent extent, const std::byte* from, bool fua) {
    if (fua && failed_flush_ != 0)
        return failed_flush_;
    return in_each(extent, [from, fua](const File& file, Extent part, std::uint64_t before) {
        std::uint64_t done = 0;
        return blocking::write(file.fd.get(), from + before, part, fua, done);
    });
}

int Disks::flush() {
    for (const File& each : files_) {
        if (failed_flush_ == 0)
            failed_flush_ = blocking::flush(each.fd.get());
    }
    return failed_flush_;
}

int Disks::trim(Extent extent) {
    return in_each(extent, [](const File& file, Extent part, std::uint64_t) {
        return blocking::trim(file.fd.get(), file.block_device, sector, part);
    });
}

int Disks::write_zeroes(Extent extent, ZeroHow how) {
    const blocking::ZeroHow each{.may_punch = !how.no_hole, .only_fast = how.fast};
    return in_each(extent, [each](const File& file, Extent part, std::uint64_t) {
        return blocking::zero(file.fd.get(), file.block_device, each, part);
    });
}

} // namespace interposed::fallback
