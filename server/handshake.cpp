#include "server/handshake.hpp"

#include <algorithm>
#include <array>

namespace interposed::server {

namespace {

using protocol::Bytes;

/// Skipped data is work for nothing: a client that wants more of it than this is sent away.
constexpr std::uint64_t max_skipped = std::uint64_t{16} << 20;
/// Memory grows with what has arrived, not with what was announced.
constexpr std::size_t data_step = std::size_t{64} << 10;

/// False: the client has left.
asio::awaitable<bool> receive_all(Stream& stream, std::span<std::byte> into) {
    while (!into.empty()) {
        const iovec part{.iov_base = into.data(), .iov_len = into.size()};
        const Stream::Moved moved = stream.receive(std::span(&part, 1));
        if (moved.ended)
            co_return false;
        if (moved.would_wait)
            co_await stream.readable();
        into = into.subspan(moved.bytes);
    }
    co_return true;
}

asio::awaitable<bool> send_all(Stream& stream, std::span<const std::byte> from) {
    while (!from.empty()) {
        const iovec part{.iov_base = const_cast<std::byte*>(from.data()), .iov_len = from.size()};
        const Stream::Moved moved = stream.send(std::span(&part, 1), false);
        if (moved.ended)
            co_return false;
        if (moved.would_wait)
            co_await stream.writable();
        from = from.subspan(moved.bytes);
    }
    co_return true;
}

asio::awaitable<bool> receive_data(Stream& stream, std::size_t length, Bytes& data) {
    while (data.size() < length) {
        const std::size_t had = data.size();
        data.resize(std::min(length, had + data_step));
        const bool there = co_await receive_all(stream, std::span(data).subspan(had));
        if (!there)
            co_return false;
    }
    co_return true;
}

asio::awaitable<bool> skip(Stream& stream, std::uint64_t length) {
    Bytes scrap(std::min<std::uint64_t>(length, data_step));
    while (length > 0) {
        const std::size_t step = std::min<std::uint64_t>(length, scrap.size());
        const bool there = co_await receive_all(stream, std::span(scrap).first(step));
        if (!there)
            co_return false;
        length -= step;
    }
    co_return true;
}

/// One option: its header, then its data unless it is too long to be of use, or for our memory.
asio::awaitable<std::optional<protocol::OptionHeader>>
receive_option(Stream& stream, Bytes& data, MemoryShare& memory, std::uint64_t& skipped) {
    std::array<std::byte, protocol::option_header_size> raw{};
    data.clear();
    if (memory.taken() > 0) {
        Bytes().swap(data);
        memory.shrink_to(0);
    }
    const bool there = co_await receive_all(stream, raw);
    if (!there)
        co_return std::nullopt;
    const auto header = protocol::decode_option_header(raw);
    if (!header)
        throw ProtocolError("option: want the magic IHAVEOPT, found something else");
    bool complete = false;
    if (Negotiation::too_long(*header) || !memory.grow_to(header->length / data_step * data_step)) {
        skipped += header->length;
        if (skipped > max_skipped)
            throw ProtocolError("option: want at most " + std::to_string(max_skipped) +
                                " bytes of useless data in all, found more");
        complete = co_await skip(stream, header->length);
    } else {
        complete = co_await receive_data(stream, header->length, data);
    }
    co_return complete ? header : std::nullopt;
}

} // namespace

asio::awaitable<std::optional<protocol::ClientFlags>> greet(Stream& stream) {
    const auto greeting = protocol::encode_greeting();
    std::array<std::byte, protocol::client_flags_size> raw{};
    const bool sent = co_await send_all(stream, greeting);
    if (!sent)
        co_return std::nullopt;
    const bool there = co_await receive_all(stream, raw);
    if (!there)
        co_return std::nullopt;
    const auto flags = protocol::decode_client_flags(raw);
    if (!flags)
        throw ProtocolError("client flags: want those that were offered, found others");
    co_return flags;
}

asio::awaitable<Negotiation::Next> haggle(Stream& stream, Negotiation& negotiation,
                                          MemoryBudget& memory) {
    Bytes data;
    Bytes answer;
    MemoryShare share(memory);
    std::uint64_t skipped = 0;
    auto next = Negotiation::Next::option;
    while (next == Negotiation::Next::option) {
        const auto header = co_await receive_option(stream, data, share, skipped);
        if (!header)
            co_return Negotiation::Next::close;
        answer.clear();
        next = negotiation.answer(*header, data, answer);
        // Somebody on the way may have put it there, to be taken for what comes through TLS.
        if (next == Negotiation::Next::start_tls && stream.has_received())
            throw ProtocolError("STARTTLS: want nothing behind it before it is answered, found "
                                "more bytes");
        const bool sent = co_await send_all(stream, answer);
        if (!sent)
            co_return Negotiation::Next::close;
    }
    co_return next;
}

} // namespace interposed::server
