#pragma once

#include "bench/plan.hpp"
#include "bench/tally.hpp"

#include <cstdint>
#include <optional>

namespace interposed::bench {

struct Result {
    Tally tally;
    double seconds = 0;
    std::uint64_t client_cpu_ns = 0;
    std::optional<std::uint64_t> server_cpu_ns; ///< absent: no process was named
};

/// Does everything the plan says and returns what the measured part of it came to.
Result run(const Plan& plan);

} // namespace interposed::bench
