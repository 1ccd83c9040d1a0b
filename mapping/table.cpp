#include "mapping/table.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <limits>
#include <string>

namespace interposed::mapping {

namespace {

[[noreturn]] void refuse(std::size_t index, const std::string& why) {
    throw TableError("segment " + std::to_string(index) + ": " + why);
}

/// Checks that the segments join; returns the end of the last.
std::uint64_t checked_size(const std::vector<Segment>& segments) {
    if (segments.empty())
        throw TableError("a table needs at least one segment, found none");
    if (segments.size() > std::numeric_limits<std::uint32_t>::max())
        throw TableError("a table has at most 4294967295 segments");
    std::uint64_t end = 0;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const Segment& segment = segments[i];
        if (segment.length == 0)
            refuse(i, "want a length above 0, found 0");
        if (segment.start != end)
            refuse(i, "want start " + std::to_string(end) + " (the end of the one before), found " +
                          std::to_string(segment.start));
        if (segment.length > Table::max_size - end)
            refuse(i, "the table would be longer than " + std::to_string(Table::max_size));
        if (!Extent{segment.device_offset, segment.length}.fits(Table::max_size))
            refuse(i, "the area on the device would end behind " + std::to_string(Table::max_size));
        end += segment.length;
    }
    return end;
}

} // namespace

// The export is cut into equal buckets, about two to a segment, and each bucket knows the segment
// that holds its first byte: a lookup is one shift and a search among the few segments that begin
// inside one bucket, so that it costs the same for one segment and for a hundred thousand.
Table::Table(std::vector<Segment> segments)
    : segments_(std::move(segments)), size_(checked_size(segments_)) {
    const std::uint64_t bucket = std::max<std::uint64_t>(1, size_ / (2 * segments_.size()));
    bucket_shift_ = static_cast<unsigned>(std::bit_width(bucket) - 1);
    const std::uint64_t buckets = ((size_ - 1) >> bucket_shift_) + 1;
    first_in_bucket_.reserve(buckets + 1);
    std::uint32_t at = 0;
    for (std::uint64_t i = 0; i < buckets; ++i) {
        const std::uint64_t first_byte = i << bucket_shift_;
        while (segments_[at].start + segments_[at].length <= first_byte)
            ++at;
        first_in_bucket_.push_back(at);
    }
    first_in_bucket_.push_back(static_cast<std::uint32_t>(segments_.size() - 1));
}

std::size_t Table::segment_at(std::uint64_t offset) const {
    assert(offset < size_);
    const std::uint64_t bucket = offset >> bucket_shift_;
    const std::uint32_t first = first_in_bucket_[bucket];
    const std::uint32_t last = first_in_bucket_[bucket + 1];
    const auto after = std::upper_bound(
        segments_.begin() + first, segments_.begin() + last + 1, offset,
        [](std::uint64_t at, const Segment& segment) { return at < segment.start; });
    return static_cast<std::size_t>(after - segments_.begin()) - 1;
}

Piece Table::first_piece(Extent want) const {
    assert(want.length > 0);
    assert(want.fits(size_));
    const std::size_t index = segment_at(want.offset);
    const Segment& here = segments_[index];
    const std::uint64_t skip = want.offset - here.start;
    return {.segment = index,
            .device = here.device,
            .extent = {here.device_offset + skip, std::min(want.length, here.length - skip)}};
}

} // namespace interposed::mapping
