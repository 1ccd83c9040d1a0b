#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Big-endian numbers in byte buffers. load_ and store_ are unchecked: the caller has made sure
/// of the room. ByteReader is checked, for what a client sent.
namespace interposed::protocol {

template <std::unsigned_integral T>
constexpr T to_big_endian(T value) {
    if constexpr (sizeof(T) == 1 || std::endian::native == std::endian::big)
        return value;
    else if constexpr (sizeof(T) == 2)
        return __builtin_bswap16(value);
    else if constexpr (sizeof(T) == 4)
        return __builtin_bswap32(value);
    else
        return __builtin_bswap64(value);
}

template <std::unsigned_integral T>
T load_be(const std::byte* from) {
    T raw;
    std::memcpy(&raw, from, sizeof raw);
    return to_big_endian(raw);
}

template <std::unsigned_integral T>
void store_be(std::byte* to, T value) {
    const T raw = to_big_endian(value);
    std::memcpy(to, &raw, sizeof raw);
}

using Bytes = std::vector<std::byte>;

template <std::unsigned_integral T>
void append_be(Bytes& to, T value) {
    const std::size_t at = to.size();
    to.resize(at + sizeof value);
    store_be(to.data() + at, value);
}

inline void append(Bytes& to, std::string_view text) {
    const auto* first = reinterpret_cast<const std::byte*>(text.data());
    to.insert(to.end(), first, first + text.size());
}

/// Takes numbers and strings off the front of what a client sent. Once something did not fit,
/// ok() is false for good and every further take gives zero or an empty string.
class ByteReader {
public:
    explicit ByteReader(std::span<const std::byte> bytes) : rest_(bytes) {}

    template <std::unsigned_integral T>
    T take() {
        if (!has(sizeof(T)))
            return 0;
        const T value = load_be<T>(rest_.data());
        rest_ = rest_.subspan(sizeof(T));
        return value;
    }

    std::string_view take_text(std::size_t length) {
        if (!has(length))
            return {};
        const std::string_view text(reinterpret_cast<const char*>(rest_.data()), length);
        rest_ = rest_.subspan(length);
        return text;
    }

    [[nodiscard]] bool ok() const { return ok_; }
    /// Everything was there, and nothing is left over.
    [[nodiscard]] bool finished() const { return ok_ && rest_.empty(); }
    [[nodiscard]] std::size_t left() const { return rest_.size(); }

private:
    bool has(std::size_t length) {
        ok_ = ok_ && length <= rest_.size();
        return ok_;
    }

    std::span<const std::byte> rest_;
    bool ok_ = true;
};

} // namespace interposed::protocol
