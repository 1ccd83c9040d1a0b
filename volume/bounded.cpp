#include "volume/bounded.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace interposed::volume {
namespace {

constexpr std::size_t block = 4096;

/// errno, or 0.
int read_ends(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    void* const buffer = std::aligned_alloc(block, block);
    if (fd < 0 || buffer == nullptr)
        return errno;
    const off_t size = ::lseek(fd, 0, SEEK_END);
    if (::pread(fd, buffer, block, 0) < 0)
        return errno;
    const off_t last = size - static_cast<off_t>(block);
    return last >= 0 && ::pread(fd, buffer, block, last) < 0 ? errno : 0;
}

int claim(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC);
    return fd < 0 && errno != ENXIO ? errno : 0; // without a size nobody can use it
}

/// A filesystem that cannot be reached from here will be frozen all the same.
int sync_all(const std::vector<std::string>& mounts) {
    for (const std::string& point : mounts) {
        const int fd = ::open(point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd >= 0 && ::syncfs(fd) != 0)
            return errno;
    }
    return 0;
}

template <typename Work>
std::string bounded(std::chrono::seconds limit, Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
        // Left behind, it must not be what keeps a lock, or a disk, from others.
        (void)::close_range(STDERR_FILENO + 1, ~0U, 0);
        ::_exit(work());
    }
    if (child < 0)
        return std::generic_category().message(errno);
    const auto end = std::chrono::steady_clock::now() + limit;
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) {
            ::kill(child, SIGKILL);
            return "no end within " + std::to_string(limit.count()) + " s";
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const int error = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    return error == 0 ? "" : std::generic_category().message(error);
}

} // namespace

std::string try_reading(const std::string& path, std::chrono::seconds limit) {
    return bounded(limit, [&] { return read_ends(path); });
}

std::string try_claiming(const std::string& path, std::chrono::seconds limit) {
    return bounded(limit, [&] { return claim(path); });
}

std::string write_back(const std::vector<std::string>& mounts, std::chrono::seconds limit) {
    return mounts.empty() ? "" : bounded(limit, [&] { return sync_all(mounts); });
}

} // namespace interposed::volume
