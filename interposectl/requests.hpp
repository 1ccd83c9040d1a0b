#pragma once

#include "interposectl/arguments.hpp"
#include "interposectl/json.hpp"

#include <string>

namespace interposed::ctl {

/// One call of the control protocol.
struct Request {
    std::string method;
    Json params;
};

/// What a verb asks the server for. Reads FILE where the verb has one. Throws UsageError for values
/// and combinations that mean nothing.
Request request_for(const Arguments& arguments);

/// How often `top` looks, and how many times.
struct Watch {
    double interval_s = 1;
    std::optional<std::uint64_t> count;
    bool devices = false;
};
Watch watch_for(const Arguments& arguments);

} // namespace interposed::ctl
