#include "attach/lock_file.hpp"

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

using devices::FileDescriptor;

[[noreturn]] void fail(const std::string& path, const char* wanted, int error) {
    throw std::runtime_error(path + ": " + wanted + ": " + std::generic_category().message(error));
}

struct flock whole_file() {
    struct flock lock = {}; // l_pid must be 0 for locks of an open file description
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

FileDescriptor open_to_lock(const std::string& path) {
    make_folder_of(path);
    FileDescriptor fd(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    if (!fd)
        fail(path, "cannot be opened", errno);
    return fd;
}

void sign(int fd, const std::string& path) {
    const std::string text = "pid " + std::to_string(::getpid()) + "\n";
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        fail(path, "cannot be written", errno);
}

} // namespace

void make_folder_of(const std::string& path) {
    using std::filesystem::perms;
    const std::filesystem::path folder = std::filesystem::path(path).parent_path();
    std::error_code failed; // what is to be in it will tell
    if (std::filesystem::create_directories(folder, failed))
        std::filesystem::permissions(folder,
                                     perms::owner_all | perms::group_read | perms::group_exec |
                                         perms::others_read | perms::others_exec,
                                     failed);
}

std::optional<LockFile> LockFile::take(const std::string& path) {
    FileDescriptor fd = open_to_lock(path);
    struct flock lock = whole_file();
    if (::fcntl(fd.get(), F_OFD_SETLK, &lock) != 0) {
        if (errno == EAGAIN || errno == EACCES)
            return std::nullopt;
        fail(path, "cannot be locked", errno);
    }
    sign(fd.get(), path);
    return LockFile(std::move(fd));
}

LockFile LockFile::wait_for(const std::string& path) {
    FileDescriptor fd = open_to_lock(path);
    struct flock lock = whole_file();
    while (::fcntl(fd.get(), F_OFD_SETLKW, &lock) != 0)
        if (errno != EINTR)
            fail(path, "cannot be locked", errno);
    sign(fd.get(), path);
    return LockFile(std::move(fd));
}

bool LockFile::is_held(const std::string& path) {
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct flock lock = whole_file();
    return fd && ::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

std::string LockFile::holder_of(const std::string& path) {
    return devices::read_kernel_file(path).value_or("");
}

bool LockFile::is_held_by(const std::string& path, pid_t process) {
    const std::filesystem::path folder = "/proc/" + std::to_string(process);
    for (const auto& entry : devices::entries_of(folder / "fd")) {
        std::error_code gone;
        if (std::filesystem::read_symlink(entry, gone) != path || gone)
            continue;
        const auto text = devices::read_kernel_file(folder / "fdinfo" / entry.filename());
        if (text && text->find("OFDLCK") != std::string::npos)
            return true;
    }
    return false;
}

} // namespace interposed::attach
