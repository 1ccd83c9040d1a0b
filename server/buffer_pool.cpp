#include "server/buffer_pool.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <new>
#include <utility>

namespace interposed::server {

namespace {

std::size_t class_of(std::size_t size) {
    return static_cast<std::size_t>(std::bit_width(size / BufferPool::smallest)) - 1;
}

} // namespace

Buffer::Buffer(Buffer&& other) noexcept
    : pool_(other.pool_), data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
    if (this != &other) {
        release();
        pool_ = other.pool_;
        data_ = std::exchange(other.data_, nullptr);
        size_ = std::exchange(other.size_, 0);
    }
    return *this;
}

void Buffer::release() {
    if (data_ != nullptr)
        pool_->give_back(std::exchange(data_, nullptr), std::exchange(size_, 0));
}

BufferPool::~BufferPool() {
    for (const auto& each : free_)
        std::for_each(each.begin(), each.end(), [](std::byte* data) { std::free(data); });
}

Buffer BufferPool::take(std::size_t size) {
    assert(size <= largest);
    const std::size_t rounded = std::bit_ceil(std::max(size, smallest));
    {
        const std::lock_guard lock(mutex_);
        auto& free = free_[class_of(rounded)];
        if (!free.empty()) {
            std::byte* data = free.back();
            free.pop_back();
            kept_ -= rounded;
            return {*this, data, rounded};
        }
    }
    auto* data = static_cast<std::byte*>(std::aligned_alloc(smallest, rounded));
    if (data == nullptr)
        throw std::bad_alloc();
    return {*this, data, rounded};
}

void BufferPool::give_back(std::byte* data, std::size_t size) {
    {
        const std::lock_guard lock(mutex_);
        if (kept_ + size <= kept_at_most) {
            free_[class_of(size)].push_back(data);
            kept_ += size;
            return;
        }
    }
    std::free(data);
}

} // namespace interposed::server
