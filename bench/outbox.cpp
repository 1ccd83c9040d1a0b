#include "bench/outbox.hpp"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <climits>
#include <system_error>

namespace interposed::bench {

void Outbox::add(std::span<const std::byte> piece) {
    auto* const start = const_cast<std::byte*>(piece.data()); // iovec knows no const
    if (!empty()) {
        iovec& last = pieces_.back();
        if (static_cast<std::byte*>(last.iov_base) + last.iov_len == start) {
            last.iov_len += piece.size();
            return;
        }
    }
    pieces_.push_back({.iov_base = start, .iov_len = piece.size()});
}

bool Outbox::send(Socket& socket, bool wait) {
    while (!empty()) {
        const std::size_t many = std::min<std::size_t>(pieces_.size() - first_, IOV_MAX);
        const ssize_t sent = socket.send(std::span(pieces_).subspan(first_, many), wait);
        if (sent < 0 && errno == EAGAIN && !wait) {
            forget_sent();
            return false;
        }
        if (sent < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "send");
        if (sent > 0)
            drop(static_cast<std::size_t>(sent));
    }
    pieces_.clear();
    first_ = 0;
    return true;
}

// A sender that is always behind never comes to an empty list: it must not grow for ever.
void Outbox::forget_sent() {
    if (first_ < pieces_.size() / 2)
        return;
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
}

void Outbox::drop(std::size_t sent) {
    while (sent > 0) {
        assert(!empty());
        iovec& piece = pieces_[first_];
        const std::size_t part = std::min(sent, piece.iov_len);
        piece.iov_base = static_cast<std::byte*>(piece.iov_base) + part;
        piece.iov_len -= part;
        sent -= part;
        if (piece.iov_len == 0)
            ++first_;
    }
}

} // namespace interposed::bench
