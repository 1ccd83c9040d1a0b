#pragma once

#include "server/buffer_pool.hpp"

#include <cstddef>
#include <deque>
#include <span>
#include <sys/uio.h>
#include <vector>

namespace interposed::server {

/// What is still to be sent to one client, in order: replies put together in place in blocks of
/// its own, and parts that lie elsewhere and are told when they are gone. Not thread-safe.
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

    [[nodiscard]] bool empty() const { return bytes_ == 0; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    /// The first parts, as many as fit into `into`; returns how many.
    std::size_t gather(std::span<iovec> into) const;
    /// The first `bytes` bytes are gone.
    void consume(std::size_t bytes);
    /// Nothing of this will be sent.
    void drop() { consume(bytes_); }

private:
    struct Part {
        const std::byte* data;
        std::size_t length;
        Owner* owner;
        std::size_t ends_blocks; ///< how many blocks no part behind this one lies in
    };

    BufferPool& buffers_;
    std::deque<Part> parts_;
    std::deque<Buffer> blocks_; ///< the last is the one being filled
    std::size_t filled_ = 0;    ///< bytes of the last block
    std::size_t bytes_ = 0;
};

} // namespace interposed::server
