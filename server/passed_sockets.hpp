#pragma once

#include "config/config.hpp"
#include "devices/file_descriptor.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace interposed::server {

/// A descriptor that who started this process has opened for it (sd_listen_fds(3)).
struct Passed {
    std::string name; ///< as the passer calls it; "unknown" if it does not say
    devices::FileDescriptor fd;
};

/// All of them, once: the environment does not speak of them afterwards. Before there are threads.
/// Throws std::runtime_error for an environment that makes no sense.
std::vector<Passed> take_passed();

/// What is listened on there: "tcp://127.0.0.1:10809", "unix:///run/x.sock". Throws
/// std::runtime_error, naming it, if it is no stream socket that is listened on.
std::string listening_address(const Passed& passed);

/// Which of them a listener means, if those that `wishes` name are not for one that names none.
bool is_meant(std::string_view name, const config::Listener& wish,
              const std::vector<config::Listener>& wishes);

} // namespace interposed::server
