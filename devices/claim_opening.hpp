#pragma once

#include "devices/claim.hpp"
#include "devices/file_locks.hpp"

#include <span>

/// The steps of taking a claim that can be refused. All throw ClaimError.
namespace interposed::devices {

/// Opens once more what a descriptor refers to: the very same inode, whatever its path leads to
/// by now. Without a descriptor, and errno, where that is refused.
FileDescriptor open_again(const FileDescriptor& other, int flags);

/// Opens what was probed: first without any effect, because the path may lead elsewhere by now
/// and opening a named pipe or a tape drive has effects; then as wanted.
FileDescriptor open_probed(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache);

/// Opens it as the claim wants it. One attempt: an exclusive open that fails is never tried again
/// as a shared one. `ours` are descriptors that are not to be named as somebody else's.
FileDescriptor open_claiming(const DeviceInfo& info, const FileDescriptor& found, ClaimMode mode,
                             Access access, CacheMode cache, std::span<const int> ours = {});

/// Locks the claiming description, or throws with all locks as they were.
void take_claim_locks(const DeviceInfo& info, ClaimMode mode, Access access,
                      const FileDescriptor& claiming, LockRights held, std::span<const int> ours);

/// The same for a description that is to take the place of one that has them.
void copy_claim_locks(const DeviceInfo& info, ClaimMode mode, Access access,
                      const FileDescriptor& claiming);

/// What another descriptor that does the I/O of a claim is opened with.
int open_flags(Access access, CacheMode cache);

[[noreturn]] void refuse_unopenable(const DeviceInfo& info, Access access, CacheMode cache,
                                    int error);

} // namespace interposed::devices
