#pragma once

#include "protocol/bytes.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>

/// A target: does something with an input and aborts if what it sees is wrong. One in each
/// program, called by libFuzzer, or by replay.cpp with inputs from files.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace interposed::fuzz {

using protocol::Bytes;

/// Ends the program if a promise does not hold: no input may bring that about.
inline void require(bool holds, const char* promise) {
    if (holds)
        return;
    std::fprintf(stderr, "does not hold: %s\n", promise);
    std::abort();
}

/// An input, taken off the front. Behind its end there are zeroes, so that every input is one.
class Input {
public:
    Input(const std::uint8_t* data, std::size_t size)
        : rest_(reinterpret_cast<const std::byte*>(data), size) {}

    [[nodiscard]] bool empty() const { return rest_.empty(); }

    template <std::unsigned_integral T>
    T take() {
        T value = 0;
        for (std::size_t i = 0; i < sizeof value; ++i) {
            value = static_cast<T>(sizeof value > 1 ? value << 8U : 0);
            value = static_cast<T>(value | (empty() ? 0U : std::to_integer<unsigned>(rest_[0])));
            rest_ = rest_.subspan(empty() ? 0 : 1);
        }
        return value;
    }

    /// At most so many bytes, in memory of their own: a sanitizer sees who reads behind them.
    Bytes take_bytes(std::size_t most) {
        const auto taken = rest_.first(std::min(most, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return {taken.begin(), taken.end()};
    }
    Bytes take_rest() { return take_bytes(rest_.size()); }

private:
    std::span<const std::byte> rest_;
};

inline std::string_view text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace interposed::fuzz
