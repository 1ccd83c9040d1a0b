#include "attach/lease.hpp"

#include "devices/kernel_files.hpp"

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

std::string Lease::path_of(const std::string& identifier) {
    return std::string(folder) + "/" + identifier + ".lease";
}

std::optional<Lease> Lease::take(const std::string& identifier) {
    std::error_code failed;
    std::filesystem::create_directories(folder, failed);
    const std::string path = path_of(identifier);
    devices::FileDescriptor fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!fd)
        fail(path, "cannot open the lease", errno);
    struct flock lock = {}; // l_pid must be 0 for locks of an open file description
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return std::nullopt;
        fail(path, "cannot lock the lease", errno);
    }
    const std::string text = "pid " + std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd.get(), 0) != 0 ||
        ::pwrite(fd.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        fail(path, "cannot write the lease", errno);
    return Lease(std::move(fd));
}

std::string Lease::holder_of(const std::string& identifier) {
    return devices::read_kernel_file(path_of(identifier)).value_or("");
}

} // namespace interposed::attach
