#pragma once

#include "bench/plan.hpp"
#include "bench/run.hpp"

#include <string>

namespace interposed::bench {

/// One line for people.
std::string to_line(const Plan& plan, const Result& result);

/// One JSON object. Times of requests are in microseconds.
std::string to_json(const Plan& plan, const Result& result);

} // namespace interposed::bench
