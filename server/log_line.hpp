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

/// Calls tell("session", number) and tell(name, text) for each field that is there.
template <typename Tell>
void for_each_field(const Fields& fields, Tell tell) {
    if (fields.session)
        tell("session", *fields.session);
    if (!fields.client.empty())
        tell("client", fields.client);
    if (fields.export_name) // the default export's name is empty
        tell("export", *fields.export_name);
    if (!fields.device.empty())
        tell("device", fields.device);
}

/// syslog's number for a level.
int priority_of(Level level);

} // namespace interposed::server::log
