#include "interposectl/errors.hpp"

#include "interposectl/text.hpp"

#include <utility>

namespace interposed::ctl {
namespace {

Json error_object(std::int64_t code, const std::string& message, const char* kind) {
    return {{"code", code}, {"message", message}, {"data", {{"kind", kind}}}};
}

Exit status_of(const Json& error) {
    return error.at("code") == code_timeout ? Exit::timeout : Exit::failed;
}

} // namespace

Failure::Failure(Exit status, Json error)
    : std::runtime_error(error.at("message").get<std::string>()), status_(status),
      error_(std::move(error)) {}

UsageError::UsageError(const std::string& message)
    : Failure(Exit::usage, error_object(code_wrong_params, message, "usage")) {}

Unreachable::Unreachable(const std::string& message)
    : Failure(Exit::unreachable, error_object(code_unreachable, message, "unreachable")) {}

LocalFailure::LocalFailure(const std::string& message)
    : Failure(Exit::failed, error_object(code_failed, message, "failed")) {}

Refused::Refused(Json error) : Failure(status_of(error), error) {}

std::string error_lines(const Failure& failure) {
    std::string lines;
    const std::string message = harmless(failure.what(), true);
    for (std::size_t start = 0; start < message.size();) {
        const std::size_t end = std::min(message.find('\n', start), message.size());
        lines += "interposectl: " + message.substr(start, end - start) + "\n";
        start = end + 1;
    }
    return lines.empty() ? "interposectl: no reason was given\n" : lines;
}

} // namespace interposed::ctl
