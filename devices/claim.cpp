#include "devices/claim.hpp"

#include "devices/claim_checks.hpp"
#include "devices/file_locks.hpp"
#include "devices/holders.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <span>
#include <system_error>

namespace interposed::devices {

namespace {

const char* article_and_mode(ClaimMode mode) {
    return mode == ClaimMode::exclusive ? "an exclusive claim" : "a shared claim";
}

int open_flags(Access access, CacheMode cache) {
    return (access == Access::read_write ? O_RDWR : O_RDONLY) |
           (cache == CacheMode::direct ? O_DIRECT : 0) | O_CLOEXEC | O_NOCTTY;
}

int open_uninterrupted(const std::string& path, int flags) {
    int fd = -1;
    do
        fd = ::open(path.c_str(), flags);
    while (fd < 0 && errno == EINTR);
    return fd;
}

/// Opens once more what a descriptor refers to: the very same inode, whatever its path leads to
/// by now.
FileDescriptor open_again(const FileDescriptor& other, int flags) {
    return FileDescriptor(
        open_uninterrupted("/proc/self/fd/" + std::to_string(other.get()), flags));
}

[[noreturn]] void refuse_busy(const DeviceInfo& info, const std::string& reason) {
    throw DeviceBusy("device \"" + info.path + "\": want " + reason);
}

[[noreturn]] void refuse_held(const DeviceInfo& info) {
    const std::string holders = describe_holders(info);
    refuse_busy(info, "an exclusive claim, but it is " +
                          (holders.empty() ? "busy, and nobody who holds it is visible from here"
                                           : holders));
}

[[noreturn]] void refuse_unopenable(const DeviceInfo& info, Access access, CacheMode cache,
                                    int error) {
    if (error == EINVAL && cache == CacheMode::direct)
        refuse(info, "\"cache\": \"direct\", found a filesystem without O_DIRECT");
    refuse(info, std::string(to_string(access)) + " access, found " + quoted_error(error));
}

/// Opens what was probed: first without any effect, because the path may lead elsewhere by now
/// and opening a named pipe or a tape drive has effects; then as wanted. One attempt: an
/// exclusive open that fails is never tried again as a shared one.
FileDescriptor open_probed(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache) {
    const FileDescriptor found(open_uninterrupted(info.node, O_PATH | O_CLOEXEC));
    if (!found)
        refuse(info, std::string(article_and_mode(mode)) + ", found " + quoted_error(errno));
    check_identity(info, found.get());
    // O_EXCL means nothing for regular files; the byte locks are their claim.
    const bool exclusive = mode == ClaimMode::exclusive && is_block_device(info);
    FileDescriptor fd = open_again(found, open_flags(access, cache) | (exclusive ? O_EXCL : 0));
    if (!fd && errno == EBUSY && exclusive)
        refuse_held(info);
    if (!fd)
        refuse_unopenable(info, access, cache, errno);
    return fd;
}

/// Locks the claiming description, or throws with all locks as they were. `ours` are descriptors
/// that are not to be named as somebody else's.
void lock(const DeviceInfo& info, ClaimMode mode, Access access, const FileDescriptor& claiming,
          LockRights held, std::span<const int> ours) {
    std::optional<LockConflict> conflict;
    try {
        conflict = take_locks(claiming.get(), lock_rights(mode, access), held);
    } catch (const std::system_error& failed) {
        refuse(info, "locks of open file descriptions, found a filesystem without them (" +
                         std::string(failed.what()) + ")");
    }
    if (conflict)
        refuse_busy(info, std::string(article_and_mode(mode)) + " (" + to_string(access) +
                              "), but it is " + describe_lock_holders(info, *conflict, ours));
}

} // namespace

const char* to_string(ClaimMode mode) {
    return mode == ClaimMode::exclusive ? "exclusive" : "shared";
}

const char* to_string(Access access) {
    return access == Access::read_write ? "read-write" : "read-only";
}

const char* to_string(CacheMode cache) {
    return cache == CacheMode::direct ? "direct" : "buffered";
}

Claim Claim::take(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache) {
    check_cache(info, mode, cache);
    Claim claim(info, mode, access, cache);
    claim.claiming_ = open_probed(info, mode, access, cache);
    check_opened(info, claim.claiming_.get(), access);
    lock(info, mode, access, claim.claiming_, {}, std::array{claim.claiming_.get()});
    return claim;
}

Claim& Claim::operator=(Claim&& other) noexcept {
    Claim taken(std::move(other)); // named first, so that moving onto itself is safe
    std::swap(info_, taken.info_);
    std::swap(mode_, taken.mode_);
    std::swap(access_, taken.access_);
    std::swap(cache_, taken.cache_);
    std::swap(claiming_, taken.claiming_);
    std::swap(raised_, taken.raised_);
    return *this;
}

void Claim::raise() {
    if (access_ == Access::read_write)
        return;
    // Without O_EXCL: a second exclusive open would be refused because of our own first.
    FileDescriptor raised = open_again(claiming_, open_flags(Access::read_write, cache_));
    if (!raised)
        refuse_unopenable(info_, Access::read_write, cache_, errno);
    check_opened(info_, raised.get(), Access::read_write);
    lock(info_, mode_, Access::read_write, claiming_, lock_rights(mode_, access_),
         std::array{claiming_.get(), raised.get()});
    raised_ = std::move(raised);
    access_ = Access::read_write;
}

} // namespace interposed::devices
