#pragma once

#include <cstdint>

namespace interposed::mapping {

/// A half-open byte range [offset, offset + length). Both members count bytes, never blocks.
struct Extent {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;

    /// The first byte behind the range. Only meaningful for a range that fits somewhere.
    [[nodiscard]] constexpr std::uint64_t end() const { return offset + length; }

    /// Whether the range lies inside `size` bytes. Cannot overflow.
    [[nodiscard]] constexpr bool fits(std::uint64_t size) const {
        return offset <= size && length <= size - offset;
    }

    /// Whether the two ranges share a byte. Both must fit into 2^64 bytes.
    [[nodiscard]] constexpr bool overlaps(const Extent& other) const {
        return length > 0 && other.length > 0 && offset < other.end() && other.offset < end();
    }

    friend constexpr bool operator==(const Extent&, const Extent&) = default;
};

} // namespace interposed::mapping
