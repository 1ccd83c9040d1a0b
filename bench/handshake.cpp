#include "bench/handshake.hpp"

#include "bench/text.hpp"
#include "bench/wire.hpp"

#include <array>
#include <optional>
#include <vector>

namespace interposed::bench {

namespace {

// More than any server has reason to send in answer to one option; a bound, so that one that
// never says ACK ends the run.
constexpr int option_replies_max = 64;
constexpr std::uint32_t option_data_max = 64 << 10;

struct OptionReply {
    std::uint32_t type = 0;
    std::vector<std::byte> data;
};

std::string text_of(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void greet(Socket& socket) {
    std::array<std::byte, 18> greeting{};
    socket.receive_all(greeting);
    if (wire::load<std::uint64_t>(greeting.data()) != wire::greeting_magic)
        throw ProtocolError("greeting: not an NBD server");
    if (wire::load<std::uint64_t>(greeting.data() + 8) != wire::option_magic)
        throw ProtocolError("greeting: want a newstyle server, found oldstyle");
    const auto flags = wire::load<std::uint16_t>(greeting.data() + 16);
    if ((flags & wire::fixed_newstyle) == 0)
        throw ProtocolError("greeting: want fixed newstyle, found flags " + hex(flags));
    std::array<std::byte, 4> answer{};
    wire::store(answer.data(), std::uint32_t{flags} & (wire::fixed_newstyle | wire::no_zeroes));
    socket.send_all(answer);
}

void send_option(Socket& socket, std::uint32_t option, const std::vector<std::byte>& data) {
    std::vector<std::byte> bytes(16 + data.size());
    wire::store(bytes.data(), wire::option_magic);
    wire::store(bytes.data() + 8, option);
    wire::store(bytes.data() + 12, static_cast<std::uint32_t>(data.size()));
    std::copy(data.begin(), data.end(), bytes.begin() + 16);
    socket.send_all(bytes);
}

OptionReply receive_option_reply(Socket& socket, std::uint32_t option) {
    std::array<std::byte, 20> header{};
    socket.receive_all(header);
    if (wire::load<std::uint64_t>(header.data()) != wire::option_reply_magic)
        throw ProtocolError("option reply: wrong magic");
    if (const auto found = wire::load<std::uint32_t>(header.data() + 8); found != option)
        throw ProtocolError("option reply: want option " + std::to_string(option) + ", found " +
                            std::to_string(found));
    const auto length = wire::load<std::uint32_t>(header.data() + 16);
    if (length > option_data_max)
        throw ProtocolError("option reply: " + std::to_string(length) + " bytes are too long");
    OptionReply reply{.type = wire::load<std::uint32_t>(header.data() + 12), .data = {}};
    reply.data.resize(length);
    socket.receive_all(reply.data);
    return reply;
}

void ask(Socket& socket, std::uint32_t option, const std::string& what) {
    send_option(socket, option, {});
    const OptionReply reply = receive_option_reply(socket, option);
    if (reply.type != wire::reply_ack)
        throw ProtocolError(what + ": refused by the server (" + hex(reply.type) + ")");
}

std::vector<std::byte> go_data(const std::string& name) {
    std::vector<std::byte> data(4 + name.size() + 4);
    wire::store(data.data(), static_cast<std::uint32_t>(name.size()));
    std::memcpy(data.data() + 4, name.data(), name.size());
    wire::store(data.data() + 4 + name.size(), std::uint16_t{1});
    wire::store(data.data() + 4 + name.size() + 2, wire::info_block_size);
    return data;
}

/// Takes over one information of the answer to GO. Kinds nobody asked for are allowed.
void learn(Export& found, bool& told, const std::vector<std::byte>& data) {
    if (data.size() < 2)
        throw ProtocolError("GO: an information of " + std::to_string(data.size()) + " bytes");
    const auto kind = wire::load<std::uint16_t>(data.data());
    if (kind == wire::info_export && data.size() == 12) {
        found.size = wire::load<std::uint64_t>(data.data() + 2);
        found.flags = wire::load<std::uint16_t>(data.data() + 10);
        told = true;
    } else if (kind == wire::info_block_size && data.size() == 14) {
        found.minimum_block = wire::load<std::uint32_t>(data.data() + 2);
        found.maximum_payload = wire::load<std::uint32_t>(data.data() + 10);
    } else if (kind == wire::info_export || kind == wire::info_block_size) {
        throw ProtocolError("GO: information " + std::to_string(kind) + " of " +
                            std::to_string(data.size()) + " bytes");
    }
}

} // namespace

Export negotiate(Socket& socket, const std::string& name, bool structured,
                 const std::string& tls_folder) {
    greet(socket);
    if (!tls_folder.empty()) {
        ask(socket, wire::option_starttls, "STARTTLS");
        socket.start_tls(tls_folder);
    }
    Export found{.structured = structured};
    if (structured)
        ask(socket, wire::option_structured_reply, "structured replies");
    send_option(socket, wire::option_go, go_data(name));
    bool told = false;
    for (int seen = 0; seen < option_replies_max; ++seen) {
        const OptionReply reply = receive_option_reply(socket, wire::option_go);
        if (reply.type == wire::reply_ack && !told)
            throw ProtocolError("GO: acknowledged without the export's size");
        if (reply.type == wire::reply_ack)
            return found;
        if ((reply.type & wire::reply_error_bit) != 0)
            throw ProtocolError("export \"" + name + "\": refused (" + hex(reply.type) + ") " +
                                text_of(reply.data));
        if (reply.type == wire::reply_info)
            learn(found, told, reply.data);
    }
    throw ProtocolError("GO: no end of replies");
}

} // namespace interposed::bench
