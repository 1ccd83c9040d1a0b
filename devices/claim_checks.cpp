#include "devices/claim_checks.hpp"

#include "devices/blocking.hpp"

#include <cerrno>
#include <cstring>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

namespace interposed::devices {

namespace {

std::uint64_t current_size(const DeviceInfo& info, int fd) {
    std::uint64_t size = 0;
    if (const int error = blocking::size(fd, size); error != 0)
        refuse(info, "its size, found " + quoted_error(error));
    return size;
}

void check_size(const DeviceInfo& info, int fd) {
    const std::uint64_t size = current_size(info, fd);
    if (size < info.size)
        refuse(info, "the " + std::to_string(info.size) + " bytes that were probed, found only " +
                         std::to_string(size));
}

void check_block_size(const DeviceInfo& info, int fd) {
    int size = 0;
    if (::ioctl(fd, BLKSSZGET, &size) != 0)
        refuse(info, "its logical block size, found " + quoted_error(errno));
    if (static_cast<std::uint32_t>(size) != info.logical_block_size)
        refuse(info, "the logical block size that was probed (" +
                         std::to_string(info.logical_block_size) + "), found " +
                         std::to_string(size));
}

void check_writable(const DeviceInfo& info, int fd) {
    int read_only = 0;
    if (::ioctl(fd, BLKROGET, &read_only) != 0)
        refuse(info, "to know whether it is read-only, found " + quoted_error(errno));
    if (read_only != 0)
        refuse(info, "read-write access, found the device marked read-only (BLKROGET)");
}

} // namespace

void refuse(const DeviceInfo& info, const std::string& reason) {
    throw ClaimError("device \"" + info.path + "\": want " + reason);
}

std::string quoted_error(int error) {
    return std::string("\"") + std::strerror(error) + "\"";
}

bool is_block_device(const DeviceInfo& info) {
    return info.identity.kind == DeviceKind::block_device;
}

void check_cache(const DeviceInfo& info, ClaimMode mode, CacheMode cache) {
    if (is_block_device(info) && mode != ClaimMode::exclusive && cache == CacheMode::buffered)
        refuse(info, std::string("\"cache\": \"direct\" for ") +
                         (mode == ClaimMode::shared ? "a shared" : "an adopted") +
                         " block device, found \"buffered\"");
}

void check_identity(const DeviceInfo& info, int fd) {
    struct stat found = {};
    if (::fstat(fd, &found) != 0)
        refuse(info, "to look at it again, found " + quoted_error(errno));
    const auto identity = identity_of(found);
    if (!identity)
        refuse(info, "the device that was probed, found another kind of file");
    if (*identity != info.identity)
        refuse(info, "the device that was probed (" + to_string(info.identity) + "), found " +
                         to_string(*identity));
}

void check_opened(const DeviceInfo& info, int fd, Access access) {
    check_identity(info, fd);
    check_size(info, fd);
    if (!is_block_device(info))
        return;
    check_block_size(info, fd);
    if (access == Access::read_write)
        check_writable(info, fd);
}

} // namespace interposed::devices
