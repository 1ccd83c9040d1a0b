#include "server/unix_socket.hpp"

#include "devices/file_descriptor.hpp"
#include "server/accounts.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace interposed::server {

namespace {

using devices::FileDescriptor;

/// Whoever connects can read and write every export: not for the whole world.
constexpr mode_t default_mode = 0660;

constexpr int lock_attempts = 100;
constexpr std::chrono::milliseconds lock_pause{20};

std::string reason() {
    return std::generic_category().message(errno);
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
    throw std::runtime_error("listen unix://" + path + ": " + why);
}

sockaddr_un address_of(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        refuse(path, "want a path of at most " + std::to_string(sizeof address.sun_path - 1) +
                         " bytes, found " + std::to_string(path.size()));
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

FileDescriptor make_socket(const std::string& path) {
    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd.get() < 0)
        refuse(path, reason());
    return fd;
}

/// Servers that start at the same time look at the old file, and replace it, one after the other.
FileDescriptor lock_folder(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0)
        refuse(path, "want a folder " + folder.string() + ": " + reason());
    // Anybody who can read the folder can lock it: that may not stop us for ever.
    for (int attempt = 0; ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0; ++attempt) {
        if ((errno != EWOULDBLOCK && errno != EINTR) || attempt == lock_attempts)
            refuse(path, "cannot lock its folder: " + reason());
        std::this_thread::sleep_for(lock_pause);
    }
    return fd;
}

void check_replaceable(const std::string& path) {
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT)
            return;
        refuse(path, reason());
    }
    if (!S_ISSOCK(found.st_mode))
        refuse(path, "want a free name or a socket nobody listens on, found another kind of file");
    const FileDescriptor probe = make_socket(path);
    const sockaddr_un address = address_of(path);
    if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
        errno == EAGAIN) // its queue is full: there is somebody
        refuse(path, "another server is listening there");
    if (errno != ECONNREFUSED)
        refuse(path, "cannot tell whether a server is listening there: " + reason());
}

unsigned id_of(const std::string& path, const char* what, const std::string& name,
               std::optional<unsigned> found) {
    if (!found)
        refuse(path,
               std::string("want a ") + what + ", found \"" + name + "\", which there is not");
    return *found;
}

void set_owner_and_mode(const config::UnixAddress& address) {
    const std::string& path = address.path;
    constexpr unsigned unchanged = static_cast<unsigned>(-1);
    const unsigned uid =
        address.owner ? id_of(path, "user", *address.owner, find_user(*address.owner)) : unchanged;
    const unsigned gid = address.group
                             ? id_of(path, "group", *address.group, find_group(*address.group))
                             : unchanged;
    if ((uid != unchanged || gid != unchanged) && ::lchown(path.c_str(), uid, gid) != 0)
        refuse(path, "cannot change its owner: " + reason());
    if (::chmod(path.c_str(), address.mode.value_or(default_mode)) != 0)
        refuse(path, "cannot change its mode: " + reason());
}

/// Nobody can connect before listen(), and until then the file has got its owner and mode.
void bind_and_listen(int fd, const config::UnixAddress& wish) {
    const sockaddr_un address = address_of(wish.path);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        refuse(wish.path, reason());
    try {
        set_owner_and_mode(wish);
        if (::listen(fd, SOMAXCONN) != 0)
            refuse(wish.path, reason());
    } catch (...) {
        ::unlink(wish.path.c_str());
        throw;
    }
}

} // namespace

int listen_on_unix_socket(const config::UnixAddress& address) {
    const FileDescriptor lock = lock_folder(address.path);
    check_replaceable(address.path);
    ::unlink(address.path.c_str());
    FileDescriptor fd = make_socket(address.path);
    bind_and_listen(fd.get(), address);
    return fd.release();
}

// The file's inode is not that of the socket; who is bound to it shows by asking who listens:
// once our own socket is closed, a file that refuses connections is ours, or nobody's.
void remove_unix_socket(const std::string& path, int fd) {
    try {
        const FileDescriptor lock = lock_folder(path);
        ::close(fd);
        fd = -1;
        struct stat found {};
        if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode))
            return;
        check_replaceable(path);
        ::unlink(path.c_str());
    } catch (const std::runtime_error&) {
        // Another server has the name now, or the folder is gone.
        if (fd >= 0)
            ::close(fd);
    }
}

} // namespace interposed::server
