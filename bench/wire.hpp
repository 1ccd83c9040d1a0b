#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <stdexcept>

/// NBD's numbers and its byte order, written apart from protocol/ on purpose: a load generator
/// that shared the server's codec would share its mistakes and verify nothing.
namespace interposed::bench {

/// The server broke the protocol, refused something, or answered a request with an error.
class ProtocolError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

namespace wire {

inline constexpr std::uint64_t greeting_magic = 0x4e42444d41474943;
inline constexpr std::uint64_t option_magic = 0x49484156454f5054;
inline constexpr std::uint64_t option_reply_magic = 0x0003e889045565a9;
inline constexpr std::uint32_t request_magic = 0x25609513;
inline constexpr std::uint32_t simple_reply_magic = 0x67446698;
inline constexpr std::uint32_t chunk_magic = 0x668e33ef;

inline constexpr std::size_t request_size = 28;
inline constexpr std::size_t simple_reply_size = 16;
inline constexpr std::size_t chunk_size = 20;
inline constexpr std::uint32_t text_size_max = 4096;

inline constexpr std::uint16_t fixed_newstyle = 0x0001;
inline constexpr std::uint16_t no_zeroes = 0x0002;

inline constexpr std::uint32_t option_go = 7;
inline constexpr std::uint32_t option_starttls = 5;
inline constexpr std::uint32_t option_structured_reply = 8;
inline constexpr std::uint32_t reply_ack = 1;
inline constexpr std::uint32_t reply_info = 3;
inline constexpr std::uint32_t reply_error_bit = 0x80000000;
inline constexpr std::uint16_t info_export = 0;
inline constexpr std::uint16_t info_block_size = 3;

inline constexpr std::uint16_t flag_read_only = 0x0002;
inline constexpr std::uint16_t flag_send_flush = 0x0004;
inline constexpr std::uint16_t flag_send_fua = 0x0008;

inline constexpr std::uint16_t command_flag_fua = 0x0001;

inline constexpr std::uint16_t chunk_done = 0x0001;
inline constexpr std::uint16_t chunk_none = 0;
inline constexpr std::uint16_t chunk_offset_data = 1;
inline constexpr std::uint16_t chunk_offset_hole = 2;
inline constexpr std::uint16_t chunk_error_bit = 0x8000;

inline std::uint16_t swapped(std::uint16_t value) {
    return __builtin_bswap16(value);
}
inline std::uint32_t swapped(std::uint32_t value) {
    return __builtin_bswap32(value);
}
inline std::uint64_t swapped(std::uint64_t value) {
    return __builtin_bswap64(value);
}

/// The same value with its bytes in the order of the wire.
template <std::unsigned_integral Integer>
Integer big_endian(Integer value) {
    return std::endian::native == std::endian::big ? value : swapped(value);
}

template <std::unsigned_integral Integer>
Integer load(const std::byte* from) {
    Integer value;
    std::memcpy(&value, from, sizeof value);
    return big_endian(value);
}

template <std::unsigned_integral Integer>
void store(std::byte* to, Integer value) {
    value = big_endian(value);
    std::memcpy(to, &value, sizeof value);
}

} // namespace wire

enum class Command : std::uint16_t { read = 0, write = 1, disconnect = 2, flush = 3 };

inline const char* to_string(Command command) {
    switch (command) {
    case Command::read:
        return "READ";
    case Command::write:
        return "WRITE";
    case Command::disconnect:
        return "DISC";
    case Command::flush:
        return "FLUSH";
    }
    return "?";
}

/// One request before it has a cookie.
struct Request {
    Command command = Command::read;
    std::uint16_t flags = 0;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;
};

inline void encode(std::byte* to, const Request& request, std::uint64_t cookie) {
    wire::store(to, wire::request_magic);
    wire::store(to + 4, request.flags);
    wire::store(to + 6, static_cast<std::uint16_t>(request.command));
    wire::store(to + 8, cookie);
    wire::store(to + 16, request.offset);
    wire::store(to + 24, request.length);
}

} // namespace interposed::bench
