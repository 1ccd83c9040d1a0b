#include "server/service.hpp"

#include <cstdlib>
#include <systemd/sd-daemon.h>
#include <unistd.h>

namespace interposed::server::service {

namespace {

using std::chrono::microseconds;

constexpr const char* socket_variable = "NOTIFY_SOCKET";

/// For the manager to have read what it was sent.
constexpr microseconds barrier_timeout = std::chrono::seconds(5);

void tell(const std::string& assignments) {
    (void)::sd_notify(0, assignments.c_str());
}

/// One line: what follows another would be another assignment.
std::string status_line(std::string text) {
    for (char& c : text)
        c = static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    return "STATUS=" + text;
}

/// Whether the manager has read all that was sent until now.
bool was_read() {
    return ::sd_notify_barrier(0, static_cast<std::uint64_t>(barrier_timeout.count())) > 0;
}

} // namespace

void ready(const std::string& text) {
    tell("READY=1\nMAINPID=" + std::to_string(::getpid()) + "\n" + status_line(text));
}

void reloading() {
    const auto now = std::chrono::duration_cast<microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void stopping(const std::string& text) {
    tell("STOPPING=1\n" + status_line(text));
}

void status(const std::string& text) {
    tell(status_line(text));
}

microseconds watchdog_interval() {
    std::uint64_t interval = 0;
    const bool is_wanted = ::sd_watchdog_enabled(0, &interval) > 0;
    return microseconds(is_wanted ? interval : 0);
}

void alive() {
    tell("WATCHDOG=1");
}

std::optional<Manager> manager() {
    const char* const socket = std::getenv(socket_variable);
    if (socket == nullptr)
        return std::nullopt;
    return Manager{.socket = socket, .watchdog = watchdog_interval()};
}

void belong_to(const Manager& manager) {
    ::setenv(socket_variable, manager.socket.c_str(), 1);
    ::unsetenv("WATCHDOG_PID"); // it was the other's
    if (manager.watchdog > microseconds::zero())
        ::setenv("WATCHDOG_USEC", std::to_string(manager.watchdog.count()).c_str(), 1);
}

void leave_to(pid_t successor) {
    tell("MAINPID=" + std::to_string(successor));
    ::unsetenv(socket_variable);
}

void keep(const std::vector<Kept>& all) {
    for (const Kept& each : all) {
        const std::string text = "FDSTORE=1\nFDNAME=" + each.name;
        (void)::sd_pid_notify_with_fds(0, 0, text.c_str(), &each.fd, 1);
    }
    (void)was_read(); // else the manager may find no process any more that it could be from
}

bool forget(const std::vector<std::string>& names) {
    for (const std::string& name : names)
        tell("FDSTOREREMOVE=1\nFDNAME=" + name);
    return was_read();
}

} // namespace interposed::server::service
