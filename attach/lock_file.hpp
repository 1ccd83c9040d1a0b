#pragma once

#include "devices/file_descriptor.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace interposed::attach {

/// Makes the folder that the file is to be in, which only this user writes to.
void make_folder_of(const std::string& path);

/// A file that one process at a time has, by a write lock of an open file description, and that
/// says which: "pid 12". The lock ends with the last reference to the description, wherever that
/// is: in a child, or in the kernel.
class LockFile {
public:
    /// nullopt: somebody else has it. Makes the file, and folders above it. Throws
    /// std::runtime_error, naming the file.
    static std::optional<LockFile> take(const std::string& path);
    /// The same, for as long as it takes.
    static LockFile wait_for(const std::string& path);

    /// Whether somebody has it. Changes nothing, and is true of our own, too.
    static bool is_held(const std::string& path);
    /// What the holder wrote into it: "pid 12"; empty if it cannot be read.
    static std::string holder_of(const std::string& path);
    /// Whether it is this very process that has it, as far as /proc shows.
    static bool is_held_by(const std::string& path, pid_t process);

    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    explicit LockFile(devices::FileDescriptor fd) : fd_(std::move(fd)) {}
    devices::FileDescriptor fd_;
};

} // namespace interposed::attach
