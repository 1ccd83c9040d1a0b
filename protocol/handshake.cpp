#include "protocol/handshake.hpp"

#include "protocol/utf8.hpp"

#include <algorithm>

namespace interposed::protocol {

bool is_protocol_string(std::string_view text) {
    if (text.size() > max_string || text.find('\0') != std::string_view::npos)
        return false;
    while (!text.empty()) {
        const std::size_t length = utf8_sequence(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

std::array<std::byte, greeting_size> encode_greeting() {
    std::array<std::byte, greeting_size> out{};
    store_be(out.data(), greeting_magic);
    store_be(out.data() + 8, option_magic);
    store_be(out.data() + 16, static_cast<std::uint16_t>(handshake_flag::fixed_newstyle |
                                                         handshake_flag::no_zeroes));
    return out;
}

std::optional<ClientFlags> decode_client_flags(std::span<const std::byte, client_flags_size> in) {
    const auto flags = load_be<std::uint32_t>(in.data());
    if ((flags & ~std::uint32_t{handshake_flag::fixed_newstyle | handshake_flag::no_zeroes}) != 0)
        return std::nullopt;
    return ClientFlags{.fixed_newstyle = (flags & handshake_flag::fixed_newstyle) != 0,
                       .no_zeroes = (flags & handshake_flag::no_zeroes) != 0};
}

std::optional<OptionHeader>
decode_option_header(std::span<const std::byte, option_header_size> in) {
    if (load_be<std::uint64_t>(in.data()) != option_magic)
        return std::nullopt;
    return OptionHeader{.option = static_cast<Option>(load_be<std::uint32_t>(in.data() + 8)),
                        .length = load_be<std::uint32_t>(in.data() + 12)};
}

bool InfoRequest::wants(Info info) const {
    return std::find(wanted.begin(), wanted.end(), static_cast<std::uint16_t>(info)) !=
           wanted.end();
}

std::optional<InfoRequest> decode_info_request(std::span<const std::byte> data) {
    ByteReader reader(data);
    InfoRequest request;
    request.name = reader.take_text(reader.take<std::uint32_t>());
    const std::size_t count = reader.take<std::uint16_t>();
    if (!reader.ok() || reader.left() != count * sizeof(std::uint16_t))
        return std::nullopt;
    request.wanted.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        request.wanted.push_back(reader.take<std::uint16_t>());
    return request;
}

std::optional<MetaContextRequest> decode_meta_context_request(std::span<const std::byte> data) {
    ByteReader reader(data);
    MetaContextRequest request;
    request.name = reader.take_text(reader.take<std::uint32_t>());
    const std::size_t count = reader.take<std::uint32_t>();
    // Each query takes at least its own length field: refuse a count that cannot be true before
    // making room for it.
    if (!reader.ok() || count > reader.left() / sizeof(std::uint32_t))
        return std::nullopt;
    request.queries.reserve(count);
    for (std::size_t i = 0; i < count; ++i)
        request.queries.push_back(reader.take_text(reader.take<std::uint32_t>()));
    if (!reader.finished())
        return std::nullopt;
    return request;
}

void append_option_reply(Bytes& to, Option option, OptionReply type,
                         std::span<const std::byte> data) {
    append_be(to, option_reply_magic);
    append_be(to, static_cast<std::uint32_t>(option));
    append_be(to, static_cast<std::uint32_t>(type));
    append_be(to, static_cast<std::uint32_t>(data.size()));
    to.insert(to.end(), data.begin(), data.end());
}

void append_option_error(Bytes& to, Option option, OptionReply type, std::string_view text) {
    append_option_reply(to, option, type, std::as_bytes(std::span(text)));
}

void append_server_reply(Bytes& to, std::string_view name, std::string_view description) {
    Bytes data;
    append_be(data, static_cast<std::uint32_t>(name.size()));
    append(data, name);
    append(data, description);
    append_option_reply(to, Option::list, OptionReply::server, data);
}

void append_info_export(Bytes& to, Option option, std::uint64_t size, std::uint16_t flags) {
    Bytes data;
    append_be(data, static_cast<std::uint16_t>(Info::export_));
    append_be(data, size);
    append_be(data, flags);
    append_option_reply(to, option, OptionReply::info, data);
}

void append_info_text(Bytes& to, Option option, Info info, std::string_view text) {
    Bytes data;
    append_be(data, static_cast<std::uint16_t>(info));
    append(data, text);
    append_option_reply(to, option, OptionReply::info, data);
}

void append_info_block_size(Bytes& to, Option option, std::uint32_t minimum,
                            std::uint32_t preferred, std::uint32_t maximum) {
    Bytes data;
    append_be(data, static_cast<std::uint16_t>(Info::block_size));
    append_be(data, minimum);
    append_be(data, preferred);
    append_be(data, maximum);
    append_option_reply(to, option, OptionReply::info, data);
}

void append_meta_context(Bytes& to, Option option, std::uint32_t id, std::string_view name) {
    Bytes data;
    append_be(data, id);
    append(data, name);
    append_option_reply(to, option, OptionReply::meta_context, data);
}

void append_export_name_reply(Bytes& to, std::uint64_t size, std::uint16_t flags, bool zeroes) {
    append_be(to, size);
    append_be(to, flags);
    if (zeroes)
        to.resize(to.size() + export_name_padding);
}

} // namespace interposed::protocol
