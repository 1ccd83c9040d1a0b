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
    bytes_in_memory_ += size;
    if (!parts_.empty()) {
        Part& last = parts_.back();
        const bool joins = last.data != nullptr && last.data + last.length == data &&
                           last.owner == nullptr && last.ends_blocks == 0;
        if (joins) {
            last.length += size;
            return;
        }
    }
    parts_.push_back({data, 0, size, nullptr, 0});
}

void Outbox::add(std::span<const std::byte> part, Owner* owner) {
    parts_.push_back({part.data(), 0, part.size(), owner, 0});
    bytes_ += part.size();
    bytes_in_memory_ += part.size();
}

void Outbox::add(mapping::Extent extent) {
    parts_.push_back({nullptr, extent.offset, extent.length, nullptr, 0});
    bytes_ += extent.length;
}

std::optional<mapping::Extent> Outbox::front_extent() const {
    if (parts_.empty() || parts_.front().data != nullptr)
        return std::nullopt;
    return mapping::Extent{parts_.front().offset, parts_.front().length};
}

void Outbox::fill_front(std::span<const std::byte> data, Owner* owner) {
    Part& rest = parts_.front();
    assert(rest.data == nullptr && data.size() <= rest.length);
    bytes_in_memory_ += data.size();
    if (data.size() == rest.length) {
        rest.data = data.data();
        rest.owner = owner;
        return;
    }
    rest.offset += data.size();
    rest.length -= data.size();
    parts_.push_front({data.data(), 0, data.size(), owner, 0});
}

void Outbox::consume(std::size_t bytes) {
    bytes_ -= bytes;
    while (!parts_.empty() && parts_.front().length <= bytes) {
        const Part gone = parts_.front();
        parts_.pop_front();
        bytes -= gone.length;
        bytes_in_memory_ -= gone.data != nullptr ? gone.length : 0;
        for (std::size_t i = 0; i < gone.ends_blocks; ++i)
            blocks_.pop_front();
        if (gone.owner != nullptr)
            gone.owner->sent();
    }
    if (bytes > 0) {
        Part& rest = parts_.front();
        if (rest.data != nullptr) {
            rest.data += bytes;
            bytes_in_memory_ -= bytes;
        }
        rest.offset += bytes;
        rest.length -= bytes;
    }
    if (parts_.empty())
        blocks_.clear(); // an idle client holds no memory
}

} // namespace interposed::server
