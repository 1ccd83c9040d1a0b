#include "protocol/transmission.hpp"

namespace interposed::protocol {

std::optional<Request> decode_request(Framing framing, const std::byte* in) {
    const bool extended = framing == Framing::extended;
    if (load_be<std::uint32_t>(in) != (extended ? extended_request_magic : request_magic))
        return std::nullopt;
    return Request{.command = static_cast<Command>(load_be<std::uint16_t>(in + 6)),
                   .flags = load_be<std::uint16_t>(in + 4),
                   .cookie = load_be<std::uint64_t>(in + 8),
                   .offset = load_be<std::uint64_t>(in + 16),
                   .length = extended ? load_be<std::uint64_t>(in + 24)
                                      : load_be<std::uint32_t>(in + 24)};
}

void encode_simple_reply(std::byte* out, std::uint64_t cookie, WireError error) {
    store_be(out, simple_reply_magic);
    store_be(out + 4, static_cast<std::uint32_t>(error));
    store_be(out + 8, cookie);
}

void encode_chunk_header(std::byte* out, const ChunkOf& of, Chunk type, std::uint32_t length) {
    const bool extended = of.framing == Framing::extended;
    store_be(out, extended ? extended_reply_magic : structured_reply_magic);
    store_be(out + 4, of.last ? chunk_flag_done : std::uint16_t{0});
    store_be(out + 6, static_cast<std::uint16_t>(type));
    store_be(out + 8, of.cookie);
    if (extended) {
        store_be(out + 16, of.request_offset);
        store_be(out + 24, std::uint64_t{length});
    } else {
        store_be(out + 16, length);
    }
}

void encode_data_chunk(std::byte* out, const ChunkOf& of, std::uint64_t offset,
                       std::uint32_t data_length) {
    encode_chunk_header(out, of, Chunk::offset_data,
                        data_length + static_cast<std::uint32_t>(sizeof offset));
    store_be(out + chunk_header_size(of.framing), offset);
}

namespace {

void append_chunk_header(Bytes& to, const ChunkOf& of, Chunk type, std::size_t length) {
    const std::size_t at = to.size();
    to.resize(at + chunk_header_size(of.framing));
    encode_chunk_header(to.data() + at, of, type, static_cast<std::uint32_t>(length));
}

} // namespace

void append_hole_chunk(Bytes& to, const ChunkOf& of, std::uint64_t offset, std::uint32_t length) {
    append_chunk_header(to, of, Chunk::offset_hole, sizeof offset + sizeof length);
    append_be(to, offset);
    append_be(to, length);
}

void append_error_chunk(Bytes& to, const ChunkOf& of, WireError error, std::string_view text,
                        std::optional<std::uint64_t> offset) {
    text = text.substr(0, max_string);
    append_chunk_header(to, of, offset ? Chunk::error_offset : Chunk::error,
                        6 + text.size() + (offset ? 8 : 0));
    append_be(to, static_cast<std::uint32_t>(error));
    append_be(to, static_cast<std::uint16_t>(text.size()));
    append(to, text);
    if (offset)
        append_be(to, *offset);
}

void append_status_chunk(Bytes& to, const ChunkOf& of, std::uint32_t context,
                         std::span<const StatusDescriptor> runs) {
    const bool extended = of.framing == Framing::extended;
    append_chunk_header(to, of, extended ? Chunk::block_status_ext : Chunk::block_status,
                        status_chunk_size(of.framing, runs.size()) - chunk_header_size(of.framing));
    append_be(to, context);
    if (extended)
        append_be(to, static_cast<std::uint32_t>(runs.size()));
    for (const StatusDescriptor& run : runs) {
        if (extended) {
            append_be(to, run.length);
            append_be(to, run.flags);
        } else {
            append_be(to, static_cast<std::uint32_t>(run.length));
            append_be(to, static_cast<std::uint32_t>(run.flags));
        }
    }
}

std::optional<StatusQuery> decode_status_query(std::span<const std::byte> payload) {
    if (payload.size() < 8 || payload.size() > StatusQuery::max_size || payload.size() % 4 != 0)
        return std::nullopt;
    StatusQuery query{.length = load_be<std::uint64_t>(payload.data()),
                      .count = (payload.size() - 8) / 4};
    for (std::size_t i = 0; i < query.count; ++i)
        query.contexts.at(i) = load_be<std::uint32_t>(payload.data() + 8 + 4 * i);
    return query;
}

} // namespace interposed::protocol
