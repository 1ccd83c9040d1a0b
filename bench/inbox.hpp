#pragma once

#include "bench/socket.hpp"

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>

namespace interposed::bench {

/// What has been received and not been looked at yet. One buffer, used over and over, small
/// enough to stay in the CPU's cache: what is only counted is received and overwritten there.
class Inbox {
public:
    Inbox() : buffer_(std::make_unique<std::byte[]>(capacity)) {}

    /// Receives what is there, up to the free space; waits unless told not to. The number of
    /// bytes; 0 where there is nothing yet. Throws ProtocolError at the end of the stream, and
    /// when the socket's time limit passes.
    std::size_t receive(Socket& socket, bool wait);

    [[nodiscard]] std::span<const std::byte> bytes() const {
        return {buffer_.get() + begin_, end_ - begin_};
    }
    void consume(std::size_t count) {
        assert(count <= end_ - begin_);
        begin_ += count;
    }

private:
    static constexpr std::size_t capacity = 256 << 10;

    std::unique_ptr<std::byte[]> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

} // namespace interposed::bench
