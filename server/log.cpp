#include "server/log.hpp"

#include "server/journal.hpp"
#include "server/log_line.hpp"
#include "server/log_writer.hpp"

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <unistd.h>

namespace interposed::server::log {

namespace {

using config::LogFormat;

std::atomic<Level> least{Level::info};
std::atomic<LogFormat> format{LogFormat::text};
/// When the process may end at last, whatever is still queued. Zero: it does not end yet.
std::atomic<LogWriter::Clock::time_point> end{};

bool to_journal() {
    static const bool is = is_journal(std::getenv("JOURNAL_STREAM"), STDERR_FILENO);
    return is;
}

/// With what ends it, where it goes.
std::string record_of(Level level, std::string_view message, const Fields& fields) {
    if (format.load(std::memory_order_relaxed) == LogFormat::text)
        return to_journal() ? journal_entry(level, message, fields) : text_line(level, message);
    std::string line = json_line(std::chrono::system_clock::now(), level, message, fields);
    if (!to_journal())
        return line;
    line.pop_back();
    return journal_entry(level, line, fields);
}

std::shared_ptr<LogOutput> output() {
    if (to_journal())
        return std::make_shared<EntriesTo>(EntriesTo::usual_path, STDERR_FILENO);
    return std::make_shared<LinesTo>(STDERR_FILENO);
}

std::string dropped_line(std::uint64_t lines) {
    return record_of(Level::warning,
                     "log: " + std::to_string(lines) +
                         " lines dropped here: they could not be written in time",
                     {});
}

void flush_at_exit();

/// Never destroyed: destructors of static objects may have something to say, too.
LogWriter& writer() {
    static LogWriter& made = []() -> LogWriter& {
        std::atexit(flush_at_exit);
        return *new LogWriter(output(), dropped_line);
    }();
    return made;
}

void flush_at_exit() {
    const auto until = LogWriter::Clock::now() + LogWriter::patience;
    end = until;
    writer().flush(until);
}

void put(std::string_view line) {
    writer().put(line);
    const LogWriter::Clock::time_point until = end.load(std::memory_order_relaxed);
    if (until != LogWriter::Clock::time_point{})
        writer().flush(until);
}

void say(Level level, std::string_view message, const Fields& fields) {
    if (enabled(level))
        put(record_of(level, message, fields));
}

} // namespace

void configure(Level level, LogFormat wanted) {
    least.store(level, std::memory_order_relaxed);
    format.store(wanted, std::memory_order_relaxed);
}

std::pair<Level, LogFormat> configuration() {
    return {least, format};
}

bool enabled(Level level) {
    return level <= least.load(std::memory_order_relaxed);
}

void debug(std::string_view line, const Fields& fields) {
    say(Level::debug, line, fields);
}

void info(std::string_view line, const Fields& fields) {
    say(Level::info, line, fields);
}

void warning(std::string_view line, const Fields& fields) {
    say(Level::warning, line, fields);
}

void error(std::string_view line, const Fields& fields) {
    say(Level::error, line, fields);
}

void ready() {
    const bool bare = format.load(std::memory_order_relaxed) == LogFormat::text && !to_journal();
    put(bare ? "ready\n" : record_of(Level::info, "ready", {}));
}

void flush() {
    writer().flush();
}

std::uint64_t dropped() {
    return writer().dropped();
}

} // namespace interposed::server::log
