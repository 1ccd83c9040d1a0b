#pragma once

#include "server/memory_budget.hpp"
#include "server/negotiation.hpp"
#include "server/request_check.hpp"
#include "server/stream.hpp"

#include <asio/awaitable.hpp>
#include <optional>
#include <stdexcept>

namespace interposed::server {

/// The client broke the protocol so that nothing more can be understood; the session ends.
class ProtocolError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Greets a client and answers its options until it has chosen an export. nullopt: it left, or was
/// sent away, before. Throws ProtocolError. Reads not one byte more than it uses. Options of
/// unusual length are refused when there is no memory for them.
asio::awaitable<std::optional<Agreement>> shake_hands(Stream& stream, Catalog& catalog,
                                                      MemoryBudget& memory);

} // namespace interposed::server
