#pragma once

#include "protocol/bytes.hpp"
#include "protocol/constants.hpp"

#include <array>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Bytes <-> values of the handshake phase (proto.md, "Newstyle negotiation"). Pure: a decoder
/// gives nullopt for what the protocol does not allow, and never reads past its input.
namespace interposed::protocol {

inline constexpr std::size_t greeting_size = 18;
inline constexpr std::size_t client_flags_size = 4;
inline constexpr std::size_t option_header_size = 16;
inline constexpr std::size_t export_name_padding = 124;

std::array<std::byte, greeting_size> encode_greeting();

struct ClientFlags {
    bool fixed_newstyle = false;
    bool no_zeroes = false;
};
/// nullopt: a flag that was not offered; the connection must end.
std::optional<ClientFlags> decode_client_flags(std::span<const std::byte, client_flags_size> in);

struct OptionHeader {
    Option option;
    std::uint32_t length = 0; ///< of the data that follows, bytes
};
/// nullopt: not the option magic; the connection must end.
std::optional<OptionHeader> decode_option_header(std::span<const std::byte, option_header_size> in);

/// What INFO and GO carry. Views into the input.
struct InfoRequest {
    std::string_view name;
    std::vector<std::uint16_t> wanted;

    [[nodiscard]] bool wants(Info info) const;
};
std::optional<InfoRequest> decode_info_request(std::span<const std::byte> data);

/// What LIST_META_CONTEXT and SET_META_CONTEXT carry. Views into the input.
struct MetaContextRequest {
    std::string_view name;
    std::vector<std::string_view> queries;
};
std::optional<MetaContextRequest> decode_meta_context_request(std::span<const std::byte> data);

/// A string as the protocol wants it: UTF-8 (no overlong forms, no surrogates), no NUL, not
/// longer than max_string.
bool is_protocol_string(std::string_view text);

void append_option_reply(Bytes& to, Option option, OptionReply type,
                         std::span<const std::byte> data = {});
/// An error reply with a text for a human. The text is sent as it is: no client bytes in it.
void append_option_error(Bytes& to, Option option, OptionReply type, std::string_view text);
void append_server_reply(Bytes& to, std::string_view name, std::string_view description);
void append_info_export(Bytes& to, Option option, std::uint64_t size, std::uint16_t flags);
void append_info_text(Bytes& to, Option option, Info info, std::string_view text);
void append_info_block_size(Bytes& to, Option option, std::uint32_t minimum,
                            std::uint32_t preferred, std::uint32_t maximum);
void append_meta_context(Bytes& to, Option option, std::uint32_t id, std::string_view name);
/// The answer to EXPORT_NAME, which has no option reply header.
void append_export_name_reply(Bytes& to, std::uint64_t size, std::uint16_t flags, bool zeroes);

} // namespace interposed::protocol
