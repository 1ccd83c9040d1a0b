#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

namespace interposed::server {

class BufferPool;

/// Page-aligned memory from a pool; goes back to it.
class Buffer {
public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept;
    Buffer& operator=(Buffer&& other) noexcept;
    ~Buffer() { release(); }

    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] explicit operator bool() const { return data_ != nullptr; }
    void release();

private:
    friend class BufferPool;
    Buffer(BufferPool& pool, std::byte* data, std::size_t size)
        : pool_(&pool), data_(data), size_(size) {}

    BufferPool* pool_ = nullptr;
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Buffers in sizes of powers of two. Keeps some of what comes back: memory fresh from the kernel
/// costs a page fault for each 4 KiB, which is more than the I/O that goes through it.
/// Thread-safe; outlives its buffers.
class BufferPool {
public:
    static constexpr std::size_t smallest = 4096;
    static constexpr std::size_t largest = std::size_t{64} << 20;
    static constexpr std::size_t kept_at_most = std::size_t{64} << 20; ///< bytes

    BufferPool() = default;
    ~BufferPool();
    BufferPool(const BufferPool&) = delete;
    BufferPool& operator=(const BufferPool&) = delete;

    /// At least `size` bytes, which is at most `largest`. Throws std::bad_alloc.
    Buffer take(std::size_t size);

private:
    friend class Buffer;
    static constexpr std::size_t classes = 15; ///< 4 KiB to 64 MiB
    void give_back(std::byte* data, std::size_t size);

    std::mutex mutex_;
    std::array<std::vector<std::byte*>, classes> free_;
    std::size_t kept_ = 0; ///< bytes
};

} // namespace interposed::server
