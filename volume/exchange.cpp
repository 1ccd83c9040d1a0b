#include "volume/exchange.hpp"

#include "config/quotes.hpp"
#include "volume/guard.hpp"
#include "volume/residence.hpp"

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

void write_back(const std::vector<std::string>& mounts) {
    for (const std::string& point : mounts) {
        const int fd = ::open(point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            continue;
        (void)::syncfs(fd);
        ::close(fd);
    }
}

int read_ends(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
    void* const buffer = std::aligned_alloc(block, block);
    if (fd < 0 || buffer == nullptr)
        return errno;
    const off_t size = ::lseek(fd, 0, SEEK_END);
    if (::pread(fd, buffer, block, 0) < 0)
        return errno;
    if (size >= static_cast<off_t>(block) &&
        ::pread(fd, buffer, block, size - static_cast<off_t>(block)) < 0)
        return errno;
    return 0;
}

} // namespace

std::chrono::microseconds exchange(const std::string& name, const Table& to,
                                   const std::vector<std::string>& mounts, Switch how) {
    if (const std::string why = stay_resident(); !why.empty())
        throw MapperError("volume " + config::in_quotes(name) + ": " + why, 0);
    write_back(mounts);
    const Guard guard(name);
    load(name, to);
    const auto pause = swap_tables(name, how);
    const auto now = look_at(name);
    if (!now || now->live != to || now->suspended)
        throw MapperError("volume " + config::in_quotes(name) +
                              ": want the table that was loaded live, found " +
                              (now ? "another" : "no such volume"),
                          0);
    return pause;
}

/// In a process of its own: such a read cannot be interrupted.
std::string try_reading(const std::string& path, std::chrono::seconds limit) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(read_ends(path));
    if (child < 0)
        return std::generic_category().message(errno);
    const auto end = std::chrono::steady_clock::now() + limit;
    int status = 0;
    while (::waitpid(child, &status, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > end) {
            ::kill(child, SIGKILL);
            return "no answer within " + std::to_string(limit.count()) + " s";
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    const int error = WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
    return error == 0 ? "" : std::generic_category().message(error);
}

} // namespace interposed::volume
