#pragma once

#include "protocol/bytes.hpp"
#include "protocol/constants.hpp"
#include "protocol/error.hpp"

#include <optional>
#include <span>
#include <string_view>

/// Bytes <-> values of the transmission phase (proto.md, "Transmission"). Pure and without
/// allocation, except where a vector is passed in.
namespace interposed::protocol {

/// A compact request as sent; only the magic has been checked.
struct Request {
    static constexpr std::size_t wire_size = 28;

    Command command = Command::read;
    std::uint16_t flags = 0;
    std::uint64_t cookie = 0; ///< opaque; goes back in every reply
    std::uint64_t offset = 0; ///< bytes
    std::uint32_t length = 0; ///< bytes

    [[nodiscard]] bool has(std::uint16_t flag) const { return (flags & flag) != 0; }
};

/// nullopt: not the request magic; the stream is lost. Reads Request::wire_size bytes.
std::optional<Request> decode_request(const std::byte* in);

inline constexpr std::size_t simple_reply_size = 16;
inline constexpr std::size_t chunk_header_size = 20;
/// A READ's data chunk: the chunk header, then the offset of the data.
inline constexpr std::size_t data_chunk_size = chunk_header_size + 8;

void encode_simple_reply(std::byte* out, std::uint64_t cookie, WireError error);

/// Writes chunk_header_size bytes. `length` counts what follows the header.
void encode_chunk_header(std::byte* out, std::uint16_t flags, Chunk type, std::uint64_t cookie,
                         std::uint32_t length);

/// Writes data_chunk_size bytes: the whole answer to a READ, up to its data.
void encode_data_chunk(std::byte* out, std::uint64_t cookie, std::uint64_t offset,
                       std::uint32_t data_length);

/// A final error chunk with a text, and the offset of the failure where one is known.
void append_error_chunk(Bytes& to, std::uint64_t cookie, WireError error, std::string_view text,
                        std::optional<std::uint64_t> offset);

/// One run of BLOCK_STATUS as sent in a compact reply.
struct StatusDescriptor {
    std::uint32_t length = 0; ///< bytes, never 0
    std::uint32_t flags = 0;
};

/// A final block status chunk for one context.
void append_status_chunk(Bytes& to, std::uint64_t cookie, std::uint32_t context,
                         std::span<const StatusDescriptor> runs);

} // namespace interposed::protocol
