#pragma once

#include "server/log.hpp"

#include <chrono>
#include <string>
#include <string_view>

/// What a line of the log looks like. Pure.
namespace interposed::server::log {

/// A line for people, with its newline: "interposed: warning: ...". Control characters, which may
/// have come from a client or a file name, are made harmless. For systemd it begins with its
/// priority, as sd-daemon(3) wants it.
std::string text_line(Level level, std::string_view message, bool for_systemd);

/// A line for programs, with its newline: one JSON object, in UTF-8 whatever the message holds.
std::string json_line(std::chrono::system_clock::time_point when, Level level,
                      std::string_view message, const Fields& fields);

} // namespace interposed::server::log
