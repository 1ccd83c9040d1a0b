#pragma once

#include "protocol/bytes.hpp"

#include <initializer_list>
#include <string_view>

/// Wire bytes written as a test's eye wants to read them.
namespace interposed::tests {

using protocol::Bytes;

/// bytes({0x00, 0x01})
inline Bytes bytes(std::initializer_list<unsigned> values) {
    Bytes out;
    for (const unsigned value : values)
        out.push_back(static_cast<std::byte>(value));
    return out;
}

/// Big-endian numbers and strings, one after the other: wire().u32(1).text("x").
class Wire {
public:
    Wire& u8(std::uint8_t value) { return append(value); }
    Wire& u16(std::uint16_t value) { return append(value); }
    Wire& u32(std::uint32_t value) { return append(value); }
    Wire& u64(std::uint64_t value) { return append(value); }
    Wire& text(std::string_view value) {
        protocol::append(out_, value);
        return *this;
    }
    Wire& zeroes(std::size_t count) { return fill(count, std::byte{0}); }
    Wire& fill(std::size_t count, std::byte value) {
        out_.insert(out_.end(), count, value);
        return *this;
    }
    Wire& raw(const Bytes& value) {
        out_.insert(out_.end(), value.begin(), value.end());
        return *this;
    }
    operator const Bytes&() const { return out_; }

private:
    template <typename T>
    Wire& append(T value) {
        protocol::append_be(out_, value);
        return *this;
    }
    Bytes out_;
};

inline Wire wire() {
    return {};
}

} // namespace interposed::tests
