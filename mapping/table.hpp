#pragma once

#include "mapping/extent.hpp"

#include <cstddef>
#include <stdexcept>
#include <vector>

namespace interposed::mapping {

/// One row of a table: a range of the export, and where its bytes lie. The device is an index
/// into whatever list the table's user keeps: a table does not know what a device is.
struct Segment {
    std::uint64_t start = 0;  ///< bytes, in the export
    std::uint64_t length = 0; ///< bytes
    std::uint32_t device = 0;
    std::uint64_t device_offset = 0; ///< bytes

    friend bool operator==(const Segment&, const Segment&) = default;
};

/// The part of a range that lies in one segment.
struct Piece {
    std::size_t segment = 0; ///< index into the table
    std::uint32_t device = 0;
    Extent extent; ///< on the device

    friend bool operator==(const Piece&, const Piece&) = default;
};

/// The segments do not make a table; what() says which one and why.
class TableError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// An ordered, gap-free list of segments, as a device-mapper table of linear targets. Built
/// once, then immutable: any thread may use it.
class Table {
public:
    /// The largest table, bytes: what a signed file offset can address.
    static constexpr std::uint64_t max_size = 0x7fffffffffffffff;

    /// Throws TableError for no segment, an empty one, a gap, an overlap, or too large a sum:
    /// each segment must start where the one before it ends, the first at 0.
    explicit Table(std::vector<Segment> segments);

    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }

    /// The leading part of `want` that one segment can serve; callers loop until nothing is
    /// left. `want` is not empty and fits into size().
    [[nodiscard]] Piece first_piece(Extent want) const;

    /// The index of the segment that holds the byte at `offset`, which is below size().
    [[nodiscard]] std::size_t segment_at(std::uint64_t offset) const;

private:
    std::vector<Segment> segments_;
    std::vector<std::uint32_t> first_in_bucket_;
    std::uint64_t size_ = 0;
    unsigned bucket_shift_ = 0;
};

} // namespace interposed::mapping
