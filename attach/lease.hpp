#pragma once

#include "attach/lock_file.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <utility>

namespace interposed::attach {

/// The right to serve a kernel device: a lock on /run/interposed/attachments/IDENTIFIER.lease. Of
/// two servers that know of the same attachment only one has it, so a server that hangs cannot wake
/// up beside its successor and write what was written anew since.
///
/// Registered with every io_uring, it outlives a killed process for as long as a write of its is in
/// the kernel.
class Lease {
public:
    /// nullopt: another server has it. Throws std::runtime_error, naming the file.
    static std::optional<Lease> take(const std::string& identifier);

    [[nodiscard]] int fd() const { return file_.fd(); }

    /// The folder of leases, and those that are in it, are this user's from now on: for a process
    /// that is to be that user. Throws std::runtime_error, naming the file.
    static void give_folder(uid_t uid, gid_t gid);

    static std::string path_of(const std::string& identifier);
    /// What the holder wrote into it: "pid 12"; empty if it cannot be read.
    static std::string holder_of(const std::string& identifier) {
        return LockFile::holder_of(path_of(identifier));
    }

private:
    explicit Lease(LockFile file) : file_(std::move(file)) {}
    LockFile file_;
};

} // namespace interposed::attach
