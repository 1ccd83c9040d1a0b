#include "volume/guard.hpp"

#include "volume/device_mapper.hpp"
#include "volume/residence.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace interposed::volume {
namespace {

constexpr int attempts = 50;
constexpr useconds_t between_attempts_us = 200'000;

void put_in_order(const std::string& volume) {
    for (int i = 0; i < attempts; ++i) {
        try {
            unsuspend(volume);
            return;
        } catch (const std::exception&) { // again: there is nobody to tell
            ::usleep(between_attempts_us);
        }
    }
}

/// Not of the parent's session: what kills the one as a group is not to kill the other.
[[noreturn]] void watch(int line, const std::string& volume) {
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    (void)::setsid();
    (void)stay_resident(); // locks are not inherited
    char word = 0;
    ssize_t got = 0;
    do
        got = ::read(line, &word, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        put_in_order(volume);
    ::_exit(0);
}

} // namespace

Guard::Guard(const std::string& volume) {
    (void)look_at(volume); // so that the library is loaded and has the kernel's device open
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a pair of sockets");
    child_ = ::fork();
    if (child_ == 0) {
        ::close(ends[1]);
        watch(ends[0], volume);
    }
    const int error = errno;
    ::close(ends[0]);
    line_ = ends[1];
    if (child_ < 0) {
        ::close(line_);
        throw std::system_error(error, std::generic_category(), "cannot make a guard process");
    }
}

Guard::~Guard() {
    const char well = 1;
    (void)::send(line_, &well, 1, MSG_NOSIGNAL);
    ::close(line_);
    (void)::waitpid(child_, nullptr, 0);
}

} // namespace interposed::volume
