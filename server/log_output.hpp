#pragma once

#include <cstdint>
#include <string_view>

namespace interposed::server {

/// Where a log goes: called on a thread that may wait.
class LogOutput {
public:
    LogOutput() = default;
    virtual ~LogOutput() = default;
    LogOutput(const LogOutput&) = delete;
    LogOutput& operator=(const LogOutput&) = delete;

    /// What every record ends with, and has nowhere else.
    [[nodiscard]] virtual char end() const = 0;
    /// Returns how many of these records could not be written.
    virtual std::uint64_t write(std::string_view records) = 0;

    [[nodiscard]] std::uint64_t count(std::string_view records) const;
};

/// Lines to a descriptor, which is not closed. One that is written in part counts as not written.
class LinesTo final : public LogOutput {
public:
    explicit LinesTo(int fd) : fd_(fd) {}
    [[nodiscard]] char end() const override { return '\n'; }
    std::uint64_t write(std::string_view records) override;

private:
    const int fd_;
};

} // namespace interposed::server
