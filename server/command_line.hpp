#pragma once

#include "config/config.hpp"
#include "devices/engine.hpp"

#include <optional>
#include <stdexcept>
#include <string>

namespace interposed::server {

/// The command line cannot be understood; what() says why.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct CommandLine {
    enum class Action : std::uint8_t { serve, check, help, version };

    Action action = Action::serve;
    std::string file;                             ///< the configuration file, or
    std::optional<config::Configuration> without; ///< what the arguments say instead of one
    bool take_over = false;                       ///< from the server that runs
    devices::Engine::Ring ring = devices::Engine::Ring::if_possible;
};

/// Throws UsageError.
CommandLine parse_command_line(int argc, char** argv);

extern const char* const usage;

} // namespace interposed::server
