#include "protocol/transmission.hpp"

namespace interposed::protocol {

std::optional<Request> decode_request(const std::byte* in) {
    if (load_be<std::uint32_t>(in) != request_magic)
        return std::nullopt;
    return Request{.command = static_cast<Command>(load_be<std::uint16_t>(in + 6)),
                   .flags = load_be<std::uint16_t>(in + 4),
                   .cookie = load_be<std::uint64_t>(in + 8),
                   .offset = load_be<std::uint64_t>(in + 16),
                   .length = load_be<std::uint32_t>(in + 24)};
}

void encode_simple_reply(std::byte* out, std::uint64_t cookie, WireError error) {
    store_be(out, simple_reply_magic);
    store_be(out + 4, static_cast<std::uint32_t>(error));
    store_be(out + 8, cookie);
}

void encode_chunk_header(std::byte* out, std::uint16_t flags, Chunk type, std::uint64_t cookie,
                         std::uint32_t length) {
    store_be(out, structured_reply_magic);
    store_be(out + 4, flags);
    store_be(out + 6, static_cast<std::uint16_t>(type));
    store_be(out + 8, cookie);
    store_be(out + 16, length);
}

void encode_data_chunk(std::byte* out, std::uint64_t cookie, std::uint64_t offset,
                       std::uint32_t data_length) {
    encode_chunk_header(out, chunk_flag_done, Chunk::offset_data, cookie,
                        data_length + static_cast<std::uint32_t>(sizeof offset));
    store_be(out + chunk_header_size, offset);
}

namespace {

std::byte* grow(Bytes& to, std::size_t length) {
    const std::size_t at = to.size();
    to.resize(at + length);
    return to.data() + at;
}

} // namespace

void append_error_chunk(Bytes& to, std::uint64_t cookie, WireError error, std::string_view text,
                        std::optional<std::uint64_t> offset) {
    text = text.substr(0, max_string);
    const auto length = static_cast<std::uint32_t>(6 + text.size() + (offset ? 8 : 0));
    encode_chunk_header(grow(to, chunk_header_size), chunk_flag_done,
                        offset ? Chunk::error_offset : Chunk::error, cookie, length);
    append_be(to, static_cast<std::uint32_t>(error));
    append_be(to, static_cast<std::uint16_t>(text.size()));
    append(to, text);
    if (offset)
        append_be(to, *offset);
}

void append_status_chunk(Bytes& to, std::uint64_t cookie, std::uint32_t context,
                         std::span<const StatusDescriptor> runs) {
    const auto length = static_cast<std::uint32_t>(4 + 8 * runs.size());
    encode_chunk_header(grow(to, chunk_header_size), chunk_flag_done, Chunk::block_status, cookie,
                        length);
    append_be(to, context);
    for (const StatusDescriptor& run : runs) {
        append_be(to, run.length);
        append_be(to, run.flags);
    }
}

} // namespace interposed::protocol
