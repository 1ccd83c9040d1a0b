#pragma once

#include "server/memory_budget.hpp"

#include <atomic>
#include <chrono>

namespace interposed::server {

/// What every client of a server is bound by.
struct ClientLimits {
    MemoryBudget memory;
    /// For options of unusual length; of its own, so that who has not chosen an export yet takes
    /// nothing from those who have.
    MemoryBudget handshake_memory{std::uint64_t{64} << 20};
    /// From accept to a chosen export. Generous, for people who type their options by hand.
    std::atomic<std::chrono::seconds> handshake_timeout{std::chrono::seconds(30)};
};

} // namespace interposed::server
