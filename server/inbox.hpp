#pragma once

#include "server/buffer_pool.hpp"

#include <cstddef>
#include <cstring>
#include <span>
#include <sys/uio.h>

namespace interposed::server {

/// What has been received from one client and not been used yet. Holds a buffer only while there
/// is something in it, so that an idle client costs none. Not thread-safe.
class Inbox {
public:
    static constexpr std::size_t capacity = std::size_t{256} << 10;

    explicit Inbox(BufferPool& buffers) : buffers_(buffers) {}

    [[nodiscard]] std::span<const std::byte> unused() const {
        return {buffer_.data() + begin_, end_ - begin_};
    }

    /// Where to receive into; moves what is left over to the front first.
    iovec free_space() {
        if (!buffer_)
            buffer_ = buffers_.take(capacity);
        if (begin_ > 0) {
            std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
            end_ -= begin_;
            begin_ = 0;
        }
        return {.iov_base = buffer_.data() + end_, .iov_len = buffer_.size() - end_};
    }

    /// `bytes` were received into free_space().
    void received(std::size_t bytes) { end_ += bytes; }

    /// The first `bytes` of unused() have been used; their memory stays until free_space().
    void use(std::size_t bytes) { begin_ += bytes; }

    /// Gives the memory back if nothing is left in it.
    void rest() {
        if (begin_ == end_) {
            buffer_.release();
            begin_ = end_ = 0;
        }
    }

private:
    BufferPool& buffers_;
    Buffer buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace interposed::server
