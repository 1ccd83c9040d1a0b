#include "fallback/liveness.hpp"

#include "attach/lease.hpp"
#include "devices/file_descriptor.hpp"
#include "devices/kernel_files.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

extern "C" { // the header of glibc 2.36 does not say so itself
#include <sys/pidfd.h>
}

namespace interposed::fallback {
namespace {

using devices::FileDescriptor;

/// "pid 12" -> 12
pid_t process_in(std::string_view holder) {
    constexpr std::string_view word = "pid ";
    if (!holder.starts_with(word))
        return 0;
    return static_cast<pid_t>(devices::parse_number(holder.substr(word.size())).value_or(0));
}

} // namespace

std::string lease_holder(const std::string& identifier) {
    if (!attach::LockFile::is_held(attach::Lease::path_of(identifier)))
        return "";
    const std::string holder = attach::Lease::holder_of(identifier);
    return holder.empty() ? "somebody" : holder;
}

bool answers(const std::string& socket, std::chrono::seconds limit) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address.sun_path)
        return false;
    std::memcpy(address.sun_path, socket.c_str(), socket.size() + 1);
    // Not to wait for one whose queue of connections is full, either.
    const FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd ||
        ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return false;
    constexpr std::string_view question =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"version\",\"params\":{}}\n";
    if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0)
        return false;
    pollfd answer{.fd = fd.get(), .events = POLLIN, .revents = 0};
    const auto limit_ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit);
    char first = 0;
    return ::poll(&answer, 1, static_cast<int>(limit_ms.count())) == 1 &&
           ::recv(fd.get(), &first, 1, 0) == 1;
}

std::string kill_holder(const std::string& identifier) {
    const std::string path = attach::Lease::path_of(identifier);
    const std::string holder = attach::Lease::holder_of(identifier);
    const pid_t process = process_in(holder);
    const FileDescriptor fd(process > 1 ? ::pidfd_open(process, 0) : -1);
    // Looked at when it cannot be another one of the same number any more.
    if (!fd || !attach::LockFile::is_held_by(path, process))
        throw std::runtime_error(path + ": want a process of this host that holds it, found " +
                                 (holder.empty() ? "none named" : holder));
    if (::pidfd_send_signal(fd.get(), SIGKILL, nullptr, 0) != 0)
        throw std::runtime_error(holder +
                                 " cannot be killed: " + std::generic_category().message(errno));
    return holder;
}

} // namespace interposed::fallback
