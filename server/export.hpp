#pragma once

#include "config/config.hpp"
#include "protocol/transmission.hpp"
#include "server/memory_budget.hpp"
#include "server/table_layer.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace interposed::server {

/// What a client picks by name: a layer and how it is served. Immutable; any thread may use it.
struct Export {
    std::string name;
    std::string description;
    bool read_only = false;
    std::optional<std::vector<config::AddressRange>> allow; ///< absent: everyone
    std::shared_ptr<TableLayer> table;
    /// What its clients may take of the memory of all: one that is stuck leaves some to the others.
    std::shared_ptr<MemoryBudget> memory;
    std::vector<std::string> devices; ///< by Segment::device: for the log, never for a client

    [[nodiscard]] std::uint64_t size() const { return table->size(); }
    [[nodiscard]] devices::Layer& layer() const { return *table; }

    /// The transmission flags to advertise (proto.md, "Transmission flags").
    [[nodiscard]] std::uint16_t flags(protocol::Framing framing, bool has_contexts) const;
};

/// The largest request with a payload that is served, bytes.
inline constexpr std::uint32_t max_request = 1U << 25;

} // namespace interposed::server
