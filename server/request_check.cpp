#include "server/request_check.hpp"

#include <span>

namespace interposed::server {

namespace {

using protocol::Command;
using protocol::Framing;
using protocol::Request;
using protocol::WireError;

/// The flags that a command may carry, as far as they were advertised.
unsigned legal_flags(Command command, const Agreement& agreement) {
    namespace flag = protocol::command_flag;
    const unsigned payload = agreement.framing == Framing::extended ? flag::payload_len : 0U;
    switch (command) {
    case Command::read:
        return flag::fua | (agreement.framing == Framing::simple ? 0U : flag::df);
    case Command::write:
        return flag::fua | payload;
    case Command::write_zeroes:
        return flag::fua | flag::no_hole | flag::fast_zero;
    case Command::block_status:
        return flag::fua | flag::req_one | payload;
    default:
        return flag::fua;
    }
}

bool is_known(const Request& request, const Agreement& agreement) {
    switch (request.command) {
    case Command::read:
    case Command::flush:
    case Command::trim:
    case Command::cache:
    case Command::write_zeroes:
        return true;
    case Command::write:
        // An extended WRITE without a payload has nothing to write.
        return has_payload(agreement.framing, request);
    case Command::block_status:
        return !agreement.contexts.empty() && request.length > 0;
    default:
        return false;
    }
}

bool changes_data(Command command) {
    return command == Command::write || command == Command::write_zeroes ||
           command == Command::trim;
}

bool moves_data(Command command) {
    return command == Command::read || command == Command::write;
}

/// Hints may be rounded inward instead.
bool wants_whole_blocks(Command command) {
    return moves_data(command) || command == Command::write_zeroes;
}

bool misaligned(const Request& request, std::uint32_t block) {
    return request.offset % block != 0 || request.length % block != 0;
}

} // namespace

WireError check_request(const Request& request, const Agreement& agreement) {
    const Export& served = *agreement.chosen;
    if (!is_known(request, agreement) ||
        (request.flags & ~legal_flags(request.command, agreement)) != 0)
        return WireError::einval;
    if (request.command == Command::flush)
        return WireError::none; // its offset and length are reserved, and ignored
    if ((served.read_only || agreement.read_only) && changes_data(request.command))
        return WireError::eperm;
    if (moves_data(request.command) && request.length > max_request)
        return WireError::einval;
    if (!mapping::Extent{request.offset, request.length}.fits(served.size())) {
        const bool would_grow =
            request.command == Command::write || request.command == Command::write_zeroes;
        return would_grow ? WireError::enospc : WireError::einval;
    }
    if (wants_whole_blocks(request.command) &&
        misaligned(request, served.layer().limits().minimum_block))
        return WireError::einval;
    return WireError::none;
}

std::optional<ContextSet> queried_contexts(const protocol::StatusQuery& query,
                                           ContextSet selected) {
    ContextSet asked;
    for (const std::uint32_t id : std::span(query.contexts).first(query.count)) {
        if (id == 0 || id > ContextSet::size)
            return std::nullopt;
        const auto context = static_cast<Context>(id - 1);
        if (!selected.has(context) || asked.has(context))
            return std::nullopt;
        asked.add(context);
    }
    if (asked.empty())
        return std::nullopt;
    return asked;
}

} // namespace interposed::server
