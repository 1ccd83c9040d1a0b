#pragma once

#include "mapping/extent.hpp"
#include "server/buffer_pool.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace interposed::server {

/// What is still to be sent to one client, in order: replies put together in place in blocks of
/// its own, parts that lie elsewhere and are told when they are gone, and bytes of the export that
/// need not be in our memory at all. Not thread-safe.
class Outbox {
public:
    static constexpr std::size_t block_size = std::size_t{256} << 10;

    /// Who owns memory that was added by reference.
    class Owner {
    public:
        /// The last byte that names this owner has been sent, or dropped.
        virtual void sent() = 0;

    protected:
        ~Owner() = default;
    };

    explicit Outbox(BufferPool& buffers) : buffers_(buffers) {}

    /// Room for `size` bytes, at most block_size, that will follow what is there; commit() says
    /// how many were written. Valid until the next call of anything else.
    std::byte* reserve(std::size_t size);
    void commit(std::size_t size);
    /// The owner, if there is one, is told when this part is gone.
    void add(std::span<const std::byte> part, Owner* owner);

    /// Bytes of the export that are looked for only when it is their turn to be sent.
    void add(mapping::Extent extent);
    /// What is left of the first part, if it is such bytes.
    [[nodiscard]] std::optional<mapping::Extent> front_extent() const;
    /// The first of these bytes are in memory now: `data` stands for that many of them.
    void fill_front(std::span<const std::byte> data, Owner* owner);

    [[nodiscard]] bool empty() const { return bytes_ == 0; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// How many of them are in memory.
    [[nodiscard]] std::size_t bytes_in_memory() const { return bytes_in_memory_; }

    /// What can be sent in one call.
    struct Gathered {
        std::size_t count = 0; ///< parts
        bool more = false;     ///< there is something behind them
    };
    /// The first parts, as many as fit into `into` and are in memory, or are found there: of bytes
    /// of the export, `find` gives those of the beginning of an extent, or none.
    template <typename Find>
    Gathered gather(std::span<iovec> into, Find&& find) const;
    Gathered gather(std::span<iovec> into) const {
        return gather(into, [](mapping::Extent) { return std::span<const std::byte>(); });
    }
    /// The first `bytes` bytes are gone.
    void consume(std::size_t bytes);
    /// Nothing of this will be sent.
    void drop() { consume(bytes_); }

private:
    struct Part {
        const std::byte* data; ///< null: not in memory, but at `offset` of the export
        std::uint64_t offset;
        std::size_t length;
        Owner* owner;
        std::size_t ends_blocks; ///< how many blocks no part behind this one lies in
    };

    BufferPool& buffers_;
    std::deque<Part> parts_;
    std::deque<Buffer> blocks_; ///< the last is the one being filled
    std::size_t filled_ = 0;    ///< bytes of the last block
    std::size_t bytes_ = 0;
    std::size_t bytes_in_memory_ = 0;
};

template <typename Find>
Outbox::Gathered Outbox::gather(std::span<iovec> into, Find&& find) const {
    const auto entry = [](std::span<const std::byte> data) {
        return iovec{.iov_base = const_cast<std::byte*>(data.data()), .iov_len = data.size()};
    };
    std::size_t count = 0;
    for (const Part& part : parts_) {
        if (count == into.size())
            return {.count = count, .more = true};
        if (part.data != nullptr) {
            into[count++] = entry({part.data, part.length});
            continue;
        }
        for (std::size_t found = 0; found < part.length;) {
            const auto data = count == into.size()
                                  ? std::span<const std::byte>()
                                  : find({part.offset + found, part.length - found});
            if (data.empty())
                return {.count = count, .more = true};
            into[count++] = entry(data);
            found += data.size();
        }
    }
    return {.count = count, .more = false};
}

} // namespace interposed::server
