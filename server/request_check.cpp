#include "server/request_check.hpp"

namespace interposed::server {

namespace {

using protocol::Command;
using protocol::Request;
using protocol::WireError;

/// The flags that a command may carry, as far as they were advertised.
std::uint16_t legal_flags(Command command, const Agreement& agreement) {
    namespace flag = protocol::command_flag;
    switch (command) {
    case Command::read:
        return static_cast<std::uint16_t>(flag::fua |
                                          (agreement.structured_replies ? flag::df : 0));
    case Command::write_zeroes:
        return flag::fua | flag::no_hole;
    case Command::block_status:
        return flag::fua | flag::req_one;
    default:
        return flag::fua;
    }
}

bool is_known(const Request& request, const Agreement& agreement) {
    switch (request.command) {
    case Command::read:
    case Command::write:
    case Command::flush:
    case Command::trim:
    case Command::write_zeroes:
        return true;
    case Command::block_status:
        return agreement.allocation_context && request.length > 0;
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
    if (served.read_only && changes_data(request.command))
        return WireError::eperm;
    if (moves_data(request.command) && request.length > max_request)
        return WireError::einval;
    if (!mapping::Extent{request.offset, request.length}.fits(served.size())) {
        const bool would_grow =
            request.command == Command::write || request.command == Command::write_zeroes;
        return would_grow ? WireError::enospc : WireError::einval;
    }
    // A hint may be rounded inward instead.
    if (request.command != Command::trim && request.command != Command::block_status &&
        misaligned(request, served.layer().limits().minimum_block))
        return WireError::einval;
    return WireError::none;
}

} // namespace interposed::server
