#pragma once

#include "tests/fuzz/connected_client.hpp"

#include <cerrno>

namespace interposed::fuzz {

inline constexpr unsigned most_pieces = 64;
inline constexpr std::size_t tail_unit = 2048;

/// The first bytes of an input of a session. In the first are, from the lowest bit, three for the
/// opening, two for the farewell, and how the weather is; then come the size of the pieces that
/// arrive one by one (0: all at once), where devices fail (0: nowhere), and how many zeroes follow
/// what the input says, so that few bytes make large writes.
struct Choices {
    explicit Choices(Input& input) {
        const auto bits = input.take<std::uint8_t>();
        piece = input.take<std::uint8_t>();
        const auto fail_at = input.take<std::uint8_t>();
        tail = input.take<std::uint8_t>() * tail_unit;
        opening = bits % 8U;
        farewell = bits / 8U % 4U;
        weather = {.slow = (bits & 0x20U) != 0,
                   .newest_first = (bits & 0x40U) != 0,
                   .crowded = (bits & 0x80U) == 0};
        if (fail_at > 0) {
            weather.fail_from = (fail_at - 1U) * 64U;
            weather.error = fail_at % 2 == 0 ? EIO : ENOSPC;
        }
    }

    std::size_t piece;
    std::size_t tail;
    unsigned opening;
    unsigned farewell;
    Weather weather;
};

inline void send_in_pieces(ConnectedClient& client, std::span<const std::byte> bytes,
                           std::size_t piece) {
    for (unsigned i = 0; i < most_pieces && piece > 0 && !bytes.empty(); ++i) {
        const auto next = bytes.first(std::min(piece, bytes.size()));
        client.send(next);
        client.go_on();
        bytes = bytes.subspan(next.size());
    }
    client.send(bytes);
}

} // namespace interposed::fuzz
