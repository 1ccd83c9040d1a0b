#pragma once

#include "server/log.hpp"

#include <chrono>
#include <string>
#include <string_view>

/// What a line of the log looks like. Pure.
namespace interposed::server::log {

/// A line for people, with its newline: "interposed: warning: ...". Control characters, which may
/// have come from a client or a file name, are made harmless.
std::string text_line(Level level, std::string_view message);

/// A line for programs, with its newline: one JSON object, in UTF-8 whatever the message holds.
std::string json_line(std::chrono::system_clock::time_point when, Level level,
                      std::string_view message, const Fields& fields);

/// Text without its control characters.
void append_printable(std::string& out, std::string_view text);

/// syslog's number for a level.
int priority_of(Level level);

} // namespace interposed::server::log
