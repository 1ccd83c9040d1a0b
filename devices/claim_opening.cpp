#include "devices/claim_opening.hpp"

#include "devices/claim_checks.hpp"
#include "devices/holders.hpp"
#include "devices/this_user.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <system_error>

namespace interposed::devices {

namespace {

const char* article_and_mode(ClaimMode mode) {
    return mode == ClaimMode::shared ? "a shared claim" : "an exclusive claim";
}

int open_uninterrupted(const std::string& path, int flags) {
    int fd = -1;
    do
        fd = ::open(path.c_str(), flags);
    while (fd < 0 && errno == EINTR);
    return fd;
}

[[noreturn]] void refuse_busy(const DeviceInfo& info, const std::string& reason) {
    throw DeviceBusy("device \"" + info.path + "\": want " + reason);
}

[[noreturn]] void refuse_held(const DeviceInfo& info, std::span<const int> ours) {
    const std::string holders = describe_holders(info, ours);
    refuse_busy(info, "an exclusive claim, but it is " +
                          (holders.empty() ? "busy, and nobody who holds it is visible from here"
                                           : holders));
}

/// Who was in the way, if somebody was.
template <typename Lock>
std::optional<LockConflict> lock(const DeviceInfo& info, Lock take) {
    try {
        return take();
    } catch (const std::system_error& failed) {
        refuse(info, "locks of open file descriptions, found a filesystem without them (" +
                         std::string(failed.what()) + ")");
    }
}

[[noreturn]] void refuse_locked(const DeviceInfo& info, ClaimMode mode, Access access,
                                const LockConflict& conflict, std::span<const int> ours) {
    refuse_busy(info, std::string(article_and_mode(mode)) + " (" + to_string(access) +
                          "), but it is " + describe_lock_holders(info, conflict, ours));
}

} // namespace

int open_flags(Access access, CacheMode cache) {
    return (access == Access::read_write ? O_RDWR : O_RDONLY) |
           (cache == CacheMode::direct ? O_DIRECT : 0) | O_CLOEXEC | O_NOCTTY;
}

FileDescriptor open_again(const FileDescriptor& other, int flags) {
    return FileDescriptor(
        open_uninterrupted("/proc/self/fd/" + std::to_string(other.get()), flags));
}

void refuse_unopenable(const DeviceInfo& info, Access access, CacheMode cache, int error) {
    if (error == EINVAL && cache == CacheMode::direct)
        refuse(info, "\"cache\": \"direct\", found a filesystem without O_DIRECT");
    refuse(info, std::string(to_string(access)) + " access, found " + denied_to(error));
}

FileDescriptor open_probed(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache) {
    const FileDescriptor found(open_uninterrupted(info.node, O_PATH | O_CLOEXEC));
    if (!found)
        refuse(info, std::string(article_and_mode(mode)) + ", found " + denied_to(errno));
    check_identity(info, found.get());
    return open_claiming(info, found, mode, access, cache);
}

FileDescriptor open_claiming(const DeviceInfo& info, const FileDescriptor& found, ClaimMode mode,
                             Access access, CacheMode cache, std::span<const int> ours) {
    // O_EXCL means nothing for regular files; the byte locks are their claim.
    const bool exclusive = mode != ClaimMode::shared && is_block_device(info);
    FileDescriptor fd = open_again(found, open_flags(access, cache) | (exclusive ? O_EXCL : 0));
    if (!fd && errno == EBUSY && exclusive)
        refuse_held(info, ours);
    if (!fd)
        refuse_unopenable(info, access, cache, errno);
    return fd;
}

void take_claim_locks(const DeviceInfo& info, ClaimMode mode, Access access,
                      const FileDescriptor& claiming, LockRights held, std::span<const int> ours) {
    const auto conflict =
        lock(info, [&] { return take_locks(claiming.get(), lock_rights(mode, access), held); });
    if (conflict)
        refuse_locked(info, mode, access, *conflict, ours);
}

void copy_claim_locks(const DeviceInfo& info, ClaimMode mode, Access access,
                      const FileDescriptor& claiming) {
    const auto conflict =
        lock(info, [&] { return copy_locks(claiming.get(), lock_rights(mode, access)); });
    if (conflict)
        refuse_locked(info, mode, access, *conflict, std::array{claiming.get()});
}

} // namespace interposed::devices
