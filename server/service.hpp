#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// What a service manager is told (sd_notify(3)); nothing, where there is none. On the main thread.
namespace interposed::server::service {

/// Everything is served; also after a reload, whatever has come of it. `status` is for people.
void ready(const std::string& status);
void reloading();
void stopping(const std::string& status);
/// How things are, for people.
void status(const std::string& text);

/// How often it has to be told that this process is alive; zero: it need not.
std::chrono::microseconds watchdog_interval();
void alive();

/// Where the manager is, and what it wants of whoever goes on in this process' place.
struct Manager {
    std::string socket;
    std::chrono::microseconds watchdog{};
};
std::optional<Manager> manager();
/// This process goes on in the place of one that it managed.
void belong_to(const Manager& manager);
/// The manager watches another process from now on, and hears nothing of this one any more.
void leave_to(pid_t successor);

/// A descriptor that the manager keeps for the next process of this service, which is passed it
/// under the name.
struct Kept {
    std::string name; ///< ASCII, without colons
    int fd = -1;
};
/// Whether it has heard of them is not known; that it was asked to is, when this returns.
void keep(const std::vector<Kept>& all);
/// It keeps them no more. False: that is not certain.
bool forget(const std::vector<std::string>& names);

} // namespace interposed::server::service
