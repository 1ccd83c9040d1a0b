#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace interposed::control {

/// Why what was asked for is not done. The numbers are the codes of the control protocol's errors.
enum class RefusalKind : std::uint8_t {
    not_found = 1, ///< no such export or session
    refused,       ///< the state of things forbids it
    definition,    ///< an export or a table is described wrongly
    device,        ///< a device cannot be opened or claimed
    timeout,       ///< a deadline has passed; all is as before
    failed,        ///< an I/O error; all is as before unless the message says otherwise
    busy,          ///< another change is under way
    denied,        ///< the peer may not ask
};

/// What was asked for is not done; what() says why, and what would help.
class Refusal : public std::runtime_error {
public:
    Refusal(RefusalKind kind, const std::string& why) : std::runtime_error(why), kind_(kind) {}
    [[nodiscard]] RefusalKind kind() const { return kind_; }

private:
    RefusalKind kind_;
};

} // namespace interposed::control
