#pragma once

#include "server/memory_budget.hpp"

#include <chrono>

namespace interposed::server {

/// What every client of a server is bound by.
struct ClientLimits {
    MemoryBudget memory;
    /// From accept to a chosen export. Generous, for people who type their options by hand.
    std::chrono::seconds handshake_timeout{30};
};

} // namespace interposed::server
