#include "server/outbox.hpp"

#include <algorithm>
#include <cassert>

namespace interposed::server {

std::byte* Outbox::reserve(std::size_t size) {
    assert(size <= block_size);
    if (parts_.empty()) {
        filled_ = 0;
    } else if (!blocks_.empty() && filled_ + size > block_size) {
        ++parts_.back().ends_blocks; // whatever lies in it lies in front of what comes now
        blocks_.push_back(buffers_.take(block_size));
        filled_ = 0;
    }
    if (blocks_.empty()) {
        blocks_.push_back(buffers_.take(block_size));
        filled_ = 0;
    }
    return blocks_.back().data() + filled_;
}

void Outbox::commit(std::size_t size) {
    const std::byte* data = blocks_.back().data() + filled_;
    filled_ += size;
    bytes_ += size;
    if (!parts_.empty()) {
        Part& last = parts_.back();
        const bool joins =
            last.data + last.length == data && last.owner == nullptr && last.ends_blocks == 0;
        if (joins) {
            last.length += size;
            return;
        }
    }
    parts_.push_back({data, size, nullptr, 0});
}

void Outbox::add(std::span<const std::byte> part, Owner* owner) {
    parts_.push_back({part.data(), part.size(), owner, 0});
    bytes_ += part.size();
}

std::size_t Outbox::gather(std::span<iovec> into) const {
    std::size_t count = 0;
    for (const Part& part : parts_) {
        if (count == into.size())
            break;
        into[count++] = {.iov_base = const_cast<std::byte*>(part.data), .iov_len = part.length};
    }
    return count;
}

void Outbox::consume(std::size_t bytes) {
    bytes_ -= bytes;
    while (!parts_.empty() && parts_.front().length <= bytes) {
        const Part gone = parts_.front();
        parts_.pop_front();
        bytes -= gone.length;
        for (std::size_t i = 0; i < gone.ends_blocks; ++i)
            blocks_.pop_front();
        if (gone.owner != nullptr)
            gone.owner->sent();
    }
    if (bytes > 0) {
        parts_.front().data += bytes;
        parts_.front().length -= bytes;
    }
    if (parts_.empty())
        blocks_.clear(); // an idle client holds no memory
}

} // namespace interposed::server
