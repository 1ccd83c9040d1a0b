#pragma once

#include "protocol/bytes.hpp"
#include "protocol/constants.hpp"
#include "protocol/error.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>

/// Bytes <-> values of the transmission phase (proto.md, "Transmission"; for extended headers the
/// branch extension-ext-header of the same document). Pure and without allocation, except where a
/// vector is passed in.
namespace interposed::protocol {

/// What the messages of a connection look like, as agreed in the handshake.
enum class Framing : std::uint8_t {
    simple,     ///< compact requests, simple replies
    structured, ///< compact requests; READ is answered with chunks, all else may be
    extended,   ///< extended requests, extended chunks; nothing else
};

/// A request as sent; only the magic has been checked.
struct Request {
    Command command = Command::read;
    std::uint16_t flags = 0;
    std::uint64_t cookie = 0; ///< opaque; goes back in every reply
    std::uint64_t offset = 0; ///< bytes
    std::uint64_t length = 0; ///< bytes: of the payload if has_payload(), else those concerned

    [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
};

/// Bytes of a request without its payload.
constexpr std::size_t request_size(Framing framing) {
    return framing == Framing::extended ? 32 : 28;
}

/// nullopt: not the request magic; the stream is lost. Reads request_size() bytes.
std::optional<Request> decode_request(Framing framing, const std::byte* in);

/// Whether `length` bytes follow the request on the wire, whatever becomes of it.
inline bool has_payload(Framing framing, const Request& request) {
    return framing == Framing::extended ? request.has(command_flag::payload_len)
                                        : request.command == Command::write;
}

inline constexpr std::size_t simple_reply_size = 16;

void encode_simple_reply(std::byte* out, std::uint64_t cookie, WireError error);

// ---- chunks: of structured replies, or extended ones, as the framing says ----

constexpr std::size_t chunk_header_size(Framing framing) {
    return framing == Framing::extended ? 32 : 20;
}
/// The header of a chunk with data or a hole: the chunk's own, then the offset of the data.
constexpr std::size_t data_chunk_size(Framing framing) {
    return chunk_header_size(framing) + 8;
}
inline constexpr std::size_t max_data_chunk_size = data_chunk_size(Framing::extended);

/// Whose reply a chunk is part of, and whether it is the last part.
struct ChunkOf {
    Framing framing = Framing::structured; ///< not simple
    std::uint64_t cookie = 0;
    std::uint64_t request_offset = 0; ///< bytes; goes back in every extended chunk
    bool last = true;
};

/// Writes chunk_header_size() bytes. `length` counts what follows the header.
void encode_chunk_header(std::byte* out, const ChunkOf& of, Chunk type, std::uint32_t length);

/// Writes data_chunk_size() bytes: what comes before a READ's data that lie at `offset`.
void encode_data_chunk(std::byte* out, const ChunkOf& of, std::uint64_t offset,
                       std::uint32_t data_length);

/// A whole chunk: `length` bytes at `offset` are zeroes and take no space.
void append_hole_chunk(Bytes& to, const ChunkOf& of, std::uint64_t offset, std::uint32_t length);

/// An error chunk with a text, and the offset of the failure where one is known.
void append_error_chunk(Bytes& to, const ChunkOf& of, WireError error, std::string_view text,
                        std::optional<std::uint64_t> offset);

/// One run of BLOCK_STATUS. Compact replies carry 32 bits of either.
struct StatusDescriptor {
    std::uint64_t length = 0; ///< bytes, never 0
    std::uint64_t flags = 0;
};

/// A block status chunk for one metadata context.
void append_status_chunk(Bytes& to, const ChunkOf& of, std::uint32_t context,
                         std::span<const StatusDescriptor> runs);
/// Bytes of such a chunk.
constexpr std::size_t status_chunk_size(Framing framing, std::size_t runs) {
    const bool extended = framing == Framing::extended;
    return chunk_header_size(framing) + (extended ? 8 + 16 * runs : 4 + 8 * runs);
}

/// What an extended BLOCK_STATUS carries with PAYLOAD_LEN: which contexts it is about.
struct StatusQuery {
    static constexpr std::size_t max_contexts = 16;
    static constexpr std::size_t max_size = 8 + 4 * max_contexts; ///< bytes

    std::uint64_t length = 0; ///< bytes of the export it asks about
    std::array<std::uint32_t, max_contexts> contexts{};
    std::size_t count = 0;
};
/// nullopt: not as long as such a payload may be.
std::optional<StatusQuery> decode_status_query(std::span<const std::byte> payload);

} // namespace interposed::protocol
