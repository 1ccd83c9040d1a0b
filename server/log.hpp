#pragma once

#include <string_view>

/// One line for an event, to stderr. Under systemd each line begins with its priority, as
/// sd-daemon(3) wants it. Thread-safe.
namespace interposed::server::log {

void info(std::string_view line);
void warning(std::string_view line);
void error(std::string_view line);

/// The one line that others wait for: every listener is bound.
void ready();

} // namespace interposed::server::log
