#pragma once

#include "interposectl/json.hpp"

#include <stdexcept>
#include <string>

/// How things end. Everything that goes wrong is thrown as a Failure and printed once, in main.
namespace interposed::ctl {

enum class Exit : int {
    done = 0,
    failed = 1,      ///< the server refused, or tried and failed; or a file cannot be read
    usage = 2,       ///< the command line is wrong
    unreachable = 3, ///< no server, or none that speaks our protocol
    timeout = 4,     ///< a deadline passed, and everything is as before
    interrupted = 130
};

class Failure : public std::runtime_error {
public:
    /// `error` is what --json prints: {"code":N,"message":"...","data":{"kind":"..."}}.
    Failure(Exit status, Json error);

    [[nodiscard]] Exit status() const { return status_; }
    [[nodiscard]] const Json& error() const { return error_; }

private:
    Exit status_;
    Json error_;
};

class UsageError : public Failure {
public:
    explicit UsageError(const std::string& message);
};

class Unreachable : public Failure {
public:
    explicit Unreachable(const std::string& message);
};

/// Something on this side: a file that cannot be read, a full disk.
class LocalFailure : public Failure {
public:
    explicit LocalFailure(const std::string& message);
};

/// The server's own error object, already checked to have a code and a message.
class Refused : public Failure {
public:
    explicit Refused(Json error);
    [[nodiscard]] std::int64_t code() const { return error().at("code").get<std::int64_t>(); }
};

/// Codes of the control protocol, docs/man/interposed-control.7.
inline constexpr std::int64_t code_unknown_method = -32601;
inline constexpr std::int64_t code_wrong_params = -32602;
inline constexpr std::int64_t code_not_found = 1;
inline constexpr std::int64_t code_refused = 2;
inline constexpr std::int64_t code_definition = 3;
inline constexpr std::int64_t code_device = 4;
inline constexpr std::int64_t code_timeout = 5;
inline constexpr std::int64_t code_failed = 6;
/// Ours alone: of what JSON-RPC leaves to implementations.
inline constexpr std::int64_t code_unreachable = -32000;

/// What stands on standard error: each line of the message behind the program's name.
std::string error_lines(const Failure& failure);

} // namespace interposed::ctl
