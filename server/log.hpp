#pragma once

#include "config/config.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

/// One line for an event, to stderr, or where that is the journal, an entry. Thread-safe, and never
/// waits for whoever reads it: a thread of its own writes the lines, and what it cannot get rid of
/// in time is dropped, counted and said so.
namespace interposed::server::log {

using Level = config::LogLevel;

/// What a line is about. JSON has them as members and the journal as fields: the text says it in
/// words.
struct Fields {
    std::optional<std::uint64_t> session{};
    std::string_view client{};                     ///< Peer::name
    std::optional<std::string_view> export_name{}; ///< may be empty: the default export's is
    std::string_view device{};                     ///< its path
};

/// From the next line on. What is less important than `level` is not said. At first: info, text.
void configure(Level level, config::LogFormat format);

/// What it is now.
std::pair<Level, config::LogFormat> configuration();

/// Whether a line would be said, for callers whose line is expensive.
bool enabled(Level level);

void debug(std::string_view line, const Fields& fields = {});
void info(std::string_view line, const Fields& fields = {});
void warning(std::string_view line, const Fields& fields = {});
void error(std::string_view line, const Fields& fields = {});

/// The one line that others wait for: every listener is bound. Said at every level.
void ready();

/// Waits until all that was said so far is written, but no more than two seconds. The end of the
/// process does the same.
void flush();

/// Lines that were never written, since the start.
std::uint64_t dropped();

} // namespace interposed::server::log
