#include "server/negotiation.hpp"

#include "config/text.hpp"
#include "server/export_set.hpp"
#include "tests/fuzz/world.hpp"

// A handshake without a connection: the first byte is the client's flags, and whether the server is
// closing; then option after option: its number in a byte, its length in two, its data. Checks that
// the answers are what proto.md says of them.

namespace interposed::fuzz {

namespace {

using protocol::ByteReader;
using protocol::Option;
using protocol::OptionReply;
using server::Negotiation;
using Next = Negotiation::Next;

constexpr std::uint32_t error_bit = 0x80000000;
constexpr std::uint8_t too_long_bit = 0x80;

bool is_final(std::uint32_t type) {
    return type == static_cast<std::uint32_t>(OptionReply::ack) || (type & error_bit) != 0;
}

void check_info(std::string_view data) {
    ByteReader reader(std::as_bytes(std::span(data)));
    switch (reader.take<std::uint16_t>()) {
    case 0:
        require(data.size() == 12, "INFO_EXPORT has a size and flags");
        break;
    case 3: {
        require(data.size() == 14, "INFO_BLOCK_SIZE has three sizes");
        const auto minimum = reader.take<std::uint32_t>();
        const auto preferred = reader.take<std::uint32_t>();
        require(std::has_single_bit(minimum) && minimum <= 65536 && minimum <= preferred &&
                    preferred <= reader.take<std::uint32_t>(),
                "block sizes are in order");
        break;
    }
    default:
        require(data.size() >= 2 && protocol::is_protocol_string(data.substr(2)),
                "INFO has a type, names and descriptions are strings");
    }
}

void check_data(std::uint32_t type, std::string_view data) {
    require((type & error_bit) == 0 || protocol::is_protocol_string(data),
            "errors are told in text");
    require(data.find("hidden") == std::string_view::npos, "nothing is said of a hidden export");
    switch (static_cast<OptionReply>(type)) {
    case OptionReply::ack:
        require(data.empty(), "ACK has no data");
        break;
    case OptionReply::info:
        check_info(data);
        break;
    case OptionReply::server: {
        ByteReader reader(std::as_bytes(std::span(data)));
        const auto name = reader.take_text(reader.take<std::uint32_t>());
        require(reader.ok() && protocol::is_protocol_string(name), "SERVER has a name");
        break;
    }
    case OptionReply::meta_context:
        require(data.size() > 4 && protocol::is_protocol_string(data.substr(4)),
                "META_CONTEXT has a number and a name");
        break;
    default:
        require((type & error_bit) != 0, "the type of a reply is known");
    }
}

/// Replies up to a final one, and nothing behind it; all to this option.
void check_replies(Option option, std::span<const std::byte> out) {
    ByteReader reader(out);
    bool final = false;
    while (reader.left() > 0) {
        require(!final, "the final reply is the last");
        require(reader.take<std::uint64_t>() == protocol::option_reply_magic &&
                    reader.take<std::uint32_t>() == static_cast<std::uint32_t>(option),
                "a reply has the magic and its option");
        const auto type = reader.take<std::uint32_t>();
        check_data(type, reader.take_text(reader.take<std::uint32_t>()));
        require(reader.ok(), "a reply is complete");
        final = is_final(type);
    }
    require(final, "an option has a final reply");
}

void check_answer(Option option, Next next, const Negotiation& negotiation,
                  std::span<const std::byte> out) {
    const bool chosen = negotiation.chosen() != nullptr;
    require((next == Next::transmission) == chosen, "an export is chosen, or options go on");
    require(!chosen || negotiation.chosen()->name != "hidden", "a hidden export is not chosen");
    if (option == Option::export_name)
        require(chosen ? out.size() == 10 || out.size() == 134 : out.empty(),
                "EXPORT_NAME is answered with a size and flags, or not at all");
    else if (!(next == Next::close && out.empty()))
        check_replies(option, out);
}

protocol::OptionHeader take_header(Input& input) {
    const auto option = input.take<std::uint8_t>();
    const auto length = input.take<std::uint16_t>();
    const bool too_long = (option & too_long_bit) != 0;
    std::array<std::byte, protocol::option_header_size> raw{};
    protocol::store_be(raw.data(), protocol::option_magic);
    protocol::store_be(raw.data() + 8, std::uint32_t{option & 0x7fU});
    protocol::store_be(raw.data() + 12, too_long ? Negotiation::max_option_data + 1 + length
                                                 : std::uint32_t{length});
    const auto header = protocol::decode_option_header(raw);
    require(header && Negotiation::too_long(*header) == too_long, "an option's header is read");
    return *header;
}

/// There are two that look at UTF-8, written by different rules.
void check_text(std::string_view text) {
    std::string_view rest = text;
    while (!rest.empty() && config::character_length(rest) > 0)
        rest.remove_prefix(config::character_length(rest));
    const bool good = rest.empty() && text.size() <= protocol::max_string &&
                      text.find('\0') == std::string_view::npos;
    require(protocol::is_protocol_string(text) == good, "both agree about what UTF-8 is");
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed;
    using namespace interposed::fuzz;
    static World world;
    static server::ExportSet closing({world.exports.all().front()->now()});
    closing.close();
    Input input(data, size);
    const auto bits = input.take<std::uint8_t>();
    server::PeerCatalog catalog((bits & 4U) != 0 ? closing : world.exports, world.peer);
    Negotiation negotiation(catalog,
                            {.fixed_newstyle = (bits & 1U) == 0, .no_zeroes = (bits & 2U) == 0});
    for (auto next = Next::option; next == Next::option && !input.empty();) {
        auto header = take_header(input);
        Bytes option;
        if (!Negotiation::too_long(header)) {
            option = input.take_bytes(header.length);
            header.length = static_cast<std::uint32_t>(option.size());
        }
        check_text(text_of(option));
        Bytes out;
        next = negotiation.answer(header, option, out);
        check_answer(header.option, next, negotiation, out);
    }
    return 0;
}
