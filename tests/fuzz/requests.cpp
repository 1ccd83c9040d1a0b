#include "server/request_check.hpp"
#include "tests/fuzz/world.hpp"

// Requests as bytes, and whether they may be carried out. The first byte chooses the export and
// what was agreed on; then request after request without its magic, which is put before it. What
// check_request() lets through is held to proto.md, said again in other words.

namespace interposed::fuzz {

namespace {

using protocol::Command;
using protocol::Framing;
using protocol::Request;
using protocol::WireError;

/// All that a connection can have agreed on: the export in two bits, two contexts, the framing, and
/// whether the client may only read.
server::Agreement agreement_of(const World& world, unsigned bits) {
    constexpr std::array framings = {Framing::simple, Framing::structured, Framing::extended};
    server::Agreement agreement{.chosen = world.exports.all()[bits % 4U]->now(),
                                .framing = framings.at((bits >> 4U) % framings.size()),
                                .contexts = {}};
    if (agreement.framing != Framing::simple && (bits & 4U) != 0)
        agreement.contexts.add(server::Context::allocation);
    if (agreement.framing != Framing::simple && (bits & 8U) != 0)
        agreement.contexts.add(server::Context::allocation_depth);
    agreement.read_only = bits >> 4U >= 3 * framings.size();
    return agreement;
}

Request decode(Framing framing, const Bytes& behind_magic) {
    const bool extended = framing == Framing::extended;
    Bytes wire;
    protocol::append_be(wire,
                        extended ? protocol::extended_request_magic : protocol::request_magic);
    wire.insert(wire.end(), behind_magic.begin(), behind_magic.end());
    wire.resize(protocol::request_size(framing));
    wire.shrink_to_fit(); // a sanitizer sees who reads behind it
    const auto request = protocol::decode_request(framing, wire.data());
    require(request.has_value(), "a request with its magic is one");
    require(request->flags == protocol::load_be<std::uint16_t>(wire.data() + 4) &&
                request->command == Command{protocol::load_be<std::uint16_t>(wire.data() + 6)} &&
                request->cookie == protocol::load_be<std::uint64_t>(wire.data() + 8) &&
                request->offset == protocol::load_be<std::uint64_t>(wire.data() + 16) &&
                request->length == (extended ? protocol::load_be<std::uint64_t>(wire.data() + 24)
                                             : protocol::load_be<std::uint32_t>(wire.data() + 24)),
            "a request is what was sent");
    wire[wire.back() == std::byte{0} ? 0 : 3] ^= std::byte{1};
    require(!protocol::decode_request(framing, wire.data()), "without its magic it is none");
    return *request;
}

bool fits(const Request& request, std::uint64_t size) {
    std::uint64_t end = 0;
    return !__builtin_add_overflow(request.offset, request.length, &end) && end <= size;
}

void check_accepted(const Request& request, const server::Agreement& agreement) {
    const server::Export& served = *agreement.chosen;
    const std::uint32_t block = served.layer().limits().minimum_block;
    const Command command = request.command;
    const bool changes =
        command == Command::write || command == Command::trim || command == Command::write_zeroes;
    const bool moves = command == Command::read || command == Command::write;
    require(command != Command::disconnect, "DISC is no request to carry out");
    require(!changes || !(served.read_only || agreement.read_only),
            "nothing read-only is changed");
    require(command == Command::flush || fits(request, served.size()), "nothing is outside");
    require(!moves || request.length <= server::max_request, "payloads have a limit");
    require(!(moves || command == Command::write_zeroes) ||
                (request.offset % block == 0 && request.length % block == 0),
            "blocks are whole");
    require(command != Command::block_status || (!agreement.contexts.empty() && request.length > 0),
            "BLOCK_STATUS has a context and a length");
    require(!request.has(protocol::command_flag::df) ||
                (command == Command::read && agreement.framing != Framing::simple),
            "DF is for READ with chunks");
    require(!request.has(protocol::command_flag::fast_zero) || command == Command::write_zeroes,
            "FAST_ZERO is for WRITE_ZEROES");
    require(!request.has(protocol::command_flag::payload_len) ||
                (agreement.framing == Framing::extended &&
                 (command == Command::write || command == Command::block_status)),
            "a payload is for extended WRITE and BLOCK_STATUS");
    require(command != Command::write || has_payload(agreement.framing, request),
            "WRITE has a payload");
    require(!request.has(protocol::command_flag::req_one) || command == Command::block_status,
            "REQ_ONE is for BLOCK_STATUS");
    require(!request.has(protocol::command_flag::no_hole) || command == Command::write_zeroes,
            "NO_HOLE is for WRITE_ZEROES");
}

void check_one(const Request& request, const server::Agreement& agreement) {
    const WireError verdict = server::check_request(request, agreement);
    require(verdict == server::check_request(request, agreement), "a verdict does not change");
    if (verdict == WireError::none)
        check_accepted(request, agreement);
    const bool plain = (request.flags & ~protocol::command_flag::fua) == 0;
    const bool harmless = request.command == Command::read && plain &&
                          request.length <= server::max_request &&
                          agreement.chosen->layer().limits().minimum_block == 1;
    require(!harmless || (verdict == WireError::none) == fits(request, agreement.chosen->size()),
            "a READ within the export is let through");
}

/// What follows a BLOCK_STATUS with a payload.
void check_query(const Bytes& payload, const server::Agreement& agreement) {
    const auto query = protocol::decode_status_query(payload);
    const auto contexts = (payload.size() - 8) / 4;
    require(query.has_value() == (payload.size() >= 8 && payload.size() % 4 == 0 &&
                                  contexts <= protocol::StatusQuery::max_contexts),
            "a query has a length and some contexts");
    if (!query)
        return;
    require(query->count == contexts, "a query has as many contexts as fit into it");
    const auto asked = server::queried_contexts(*query, agreement.contexts);
    for (const auto each : {server::Context::allocation, server::Context::allocation_depth})
        require(!asked || agreement.contexts.has(each) || !asked->has(each),
                "only what was selected is told");
    require(!asked || !asked->empty(), "a query without contexts is none");
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed;
    using namespace interposed::fuzz;
    static World world;
    Input input(data, size);
    const auto bits = input.take<std::uint8_t>();
    const auto agreement = agreement_of(world, bits);
    constexpr std::size_t magic = sizeof protocol::request_magic;
    while (!input.empty()) {
        const auto behind_magic =
            input.take_bytes(protocol::request_size(agreement.framing) - magic);
        const auto request = decode(agreement.framing, behind_magic);
        check_one(request, agreement);
        if (request.command == protocol::Command::block_status &&
            has_payload(agreement.framing, request))
            check_query(input.take_bytes(std::min<std::uint64_t>(request.length, 100)), agreement);
    }
    return 0;
}
