#include "devices/whole_blocks.hpp"

#include "devices/blocking.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace interposed::devices::whole_blocks {

namespace {

using mapping::Extent;

constexpr std::uint64_t bounce_size = 1U << 20;

struct Free {
    void operator()(std::byte* memory) const { std::free(memory); }
};
using Buffer = std::unique_ptr<std::byte, Free>;

Buffer make_bounce(std::uint32_t block, std::uint64_t size) {
    const std::size_t alignment = std::max<std::size_t>(block, 4096);
    const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
    return Buffer(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
}

/// The next whole blocks of `rest`, no more than fit into the bounce buffer.
Extent next_chunk(std::uint32_t block, Extent rest) {
    Extent chunk = around(block, rest);
    chunk.length = std::min(chunk.length, std::max<std::uint64_t>(bounce_size, block));
    return chunk;
}

/// The part of `rest` that lies in `chunk`.
Extent part_in(Extent chunk, Extent rest) {
    return {rest.offset, std::min(rest.end(), chunk.end()) - rest.offset};
}

Extent rest_of(Extent extent, std::uint64_t done) {
    return {extent.offset + done, extent.length - done};
}

/// Reads the blocks at the edges of `chunk` which `part` does not cover whole.
int fill_edges(int fd, std::uint32_t block, std::byte* bounce, Extent chunk, Extent part) {
    std::uint64_t got = 0;
    const Extent first{chunk.offset, block};
    const bool first_partial = part.offset != chunk.offset || part.end() < first.end();
    if (first_partial) {
        if (const int error = blocking::read(fd, bounce, first, got); error != 0)
            return error;
    }
    const Extent last{chunk.end() - block, block};
    if (part.end() == chunk.end() || (first_partial && last == first))
        return 0;
    got = 0;
    return blocking::read(fd, bounce + (last.offset - chunk.offset), last, got);
}

} // namespace

Extent around(std::uint32_t block, Extent extent) {
    const std::uint64_t first = extent.offset / block * block;
    const std::uint64_t last = (extent.end() + block - 1) / block * block;
    return {first, last - first};
}

Extent inside(std::uint32_t block, Extent extent) {
    const std::uint64_t first = (extent.offset + block - 1) / block * block;
    const std::uint64_t last = extent.end() / block * block;
    return first < last ? Extent{first, last - first} : Extent{extent.offset, 0};
}

int read(int fd, std::uint32_t block, std::byte* data, Extent extent, std::uint64_t& done) {
    const Buffer bounce = make_bounce(block, next_chunk(block, extent).length);
    if (!bounce)
        return ENOMEM;
    while (done < extent.length) {
        const Extent rest = rest_of(extent, done);
        const Extent chunk = next_chunk(block, rest);
        std::uint64_t got = 0;
        if (const int error = blocking::read(fd, bounce.get(), chunk, got); error != 0)
            return error;
        const Extent part = part_in(chunk, rest);
        std::memcpy(data + done, bounce.get() + (part.offset - chunk.offset), part.length);
        done += part.length;
    }
    return 0;
}

int write(int fd, std::uint32_t block, const std::byte* data, Extent extent, bool fua,
          std::uint64_t& done) {
    const Buffer bounce = make_bounce(block, next_chunk(block, extent).length);
    if (!bounce)
        return ENOMEM;
    while (done < extent.length) {
        const Extent rest = rest_of(extent, done);
        const Extent chunk = next_chunk(block, rest);
        const Extent part = part_in(chunk, rest);
        if (const int error = fill_edges(fd, block, bounce.get(), chunk, part); error != 0)
            return error;
        std::byte* place = bounce.get() + (part.offset - chunk.offset);
        if (data == nullptr)
            std::memset(place, 0, part.length);
        else
            std::memcpy(place, data + done, part.length);
        std::uint64_t put = 0;
        if (const int error = blocking::write(fd, bounce.get(), chunk, fua, put); error != 0)
            return error;
        done += part.length;
    }
    return 0;
}

} // namespace interposed::devices::whole_blocks
