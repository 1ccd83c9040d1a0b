#pragma once

#include "devices/claim.hpp"

#include <string>

/// What must be true of a device for a claim to be given. All throw ClaimError.
namespace interposed::devices {

/// Throws: `reason` goes on after "device \"PATH\": want ".
[[noreturn]] void refuse(const DeviceInfo& info, const std::string& reason);

/// strerror() in quotes.
std::string quoted_error(int error);

bool is_block_device(const DeviceInfo& info);

/// A page cache beside another writer's serves stale data and can write it back later.
void check_cache(const DeviceInfo& info, ClaimMode mode, CacheMode cache);

/// That the descriptor, which may be a mere O_PATH, is of the device that was probed.
void check_identity(const DeviceInfo& info, int fd);

/// That an open device is still what the tables were checked against, and can be written if it
/// shall be: the kernel opens one that is marked read-only for writing too.
void check_opened(const DeviceInfo& info, int fd, Access access);

} // namespace interposed::devices
