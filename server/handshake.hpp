#pragma once

#include "server/memory_budget.hpp"
#include "server/negotiation.hpp"
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

/// Greets a client. nullopt: it left. Throws ProtocolError. Reads not one byte more than it uses.
asio::awaitable<std::optional<protocol::ClientFlags>> greet(Stream& stream);

/// Answers a client's options until it has chosen an export, or TLS is to begin; close: it left, or
/// is to be sent away. Throws ProtocolError. Reads not one byte more than it uses. Options of
/// unusual length are refused when there is no memory for them.
asio::awaitable<Negotiation::Next> haggle(Stream& stream, Negotiation& negotiation,
                                          MemoryBudget& memory);

} // namespace interposed::server
