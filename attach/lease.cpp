#include "attach/lease.hpp"

#include "devices/kernel_files.hpp"
#include "devices/ownership.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace interposed::attach {

namespace {

/// Gone with the kernel that the attachments are gone with, and on no disk.
constexpr const char* folder = "/run/interposed/attachments";

[[noreturn]] void fail(const std::string& path, const char* wanted, int error) {
    throw std::runtime_error(path + ": " + wanted + ": " + std::generic_category().message(error));
}

} // namespace

void Lease::give_folder(uid_t uid, gid_t gid) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    const devices::FileDescriptor all(
        ::open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!all || ::fchown(all.get(), uid, gid) != 0)
        fail(folder, "cannot be given to another user", errno);
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (!devices::give_file(all.get(), entry.path().filename(), uid, gid))
            fail(entry.path(), "cannot be given to another user", errno);
    }
}

std::string Lease::path_of(const std::string& identifier) {
    return std::string(folder) + "/" + identifier + ".lease";
}

std::optional<Lease> Lease::take(const std::string& identifier) {
    auto file = LockFile::take(path_of(identifier));
    if (!file)
        return std::nullopt;
    return Lease(std::move(*file));
}

} // namespace interposed::attach
