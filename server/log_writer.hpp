#pragma once

#include "server/log_output.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace interposed::server {

/// Writes lines from a thread of its own, which begins with the first line, so that a full pipe or
/// a frozen filesystem at the other end holds up nobody. What waits to be
/// written is bounded; lines that find no room are dropped, and a line in their place says how
/// many. Thread-safe.
class LogWriter {
public:
    using Clock = std::chrono::steady_clock;
    /// Makes the line that stands for so many dropped ones.
    using DroppedLine = std::function<std::string(std::uint64_t)>;

    static constexpr std::size_t default_capacity = std::size_t{1} << 20; ///< bytes
    static constexpr std::chrono::seconds patience{2};

    LogWriter(std::shared_ptr<LogOutput> output, DroppedLine dropped_line,
              std::size_t capacity = default_capacity);
    /// Lines to a descriptor.
    LogWriter(int fd, DroppedLine dropped_line, std::size_t capacity = default_capacity);
    /// Waits for what is queued, as long as its patience lasts. A thread that sticks is left
    /// behind.
    ~LogWriter();
    LogWriter(const LogWriter&) = delete;
    LogWriter& operator=(const LogWriter&) = delete;

    /// A whole line with its newline, which is the only one in it; or another record that ends as
    /// LogOutput::end() says.
    void put(std::string_view line);

    /// Waits until all that was put before is written or lost. False: not until the deadline.
    bool flush(Clock::time_point deadline = Clock::now() + patience);

    /// Lines that were never written: there was no room, or writing them failed.
    [[nodiscard]] std::uint64_t dropped() const;

private:
    struct State;
    bool start();

    std::shared_ptr<State> state_; ///< the thread's as well
};

} // namespace interposed::server
