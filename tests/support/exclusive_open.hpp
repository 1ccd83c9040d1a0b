#pragma once

#include "devices/file_descriptor.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>

namespace interposed::tests {

/// What any other program's exclusive open of the device says: 0, or EBUSY.
inline int exclusive_open_error(const std::string& path) {
    const devices::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    return fd ? 0 : errno;
}

} // namespace interposed::tests
