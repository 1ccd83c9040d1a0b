#pragma once

#include "devices/operation.hpp"
#include "devices/turn.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace interposed::devices {

/// Who is told when io_uring has finished with an operation.
class RingUser {
public:
    /// `result` is io_uring's: bytes, or a negated errno. Runs on the thread that reaps.
    virtual void ring_done(class Engine& engine, Operation& operation, std::int32_t result) = 0;

protected:
    ~RingUser() = default;
};

/// One event loop's way to start I/O without waiting for it: an io_uring, or nothing where the
/// kernel, a seccomp filter or the operator denies it; then devices use their workers.
///
/// Belongs to one loop, but loops change threads when one gets stuck, and a device is closed on
/// any thread: so all calls are thread-safe, and none of them waits for a stuck one.
class Engine {
public:
    enum class Ring : std::uint8_t { if_possible, never };

    explicit Engine(Ring wish);
    ~Engine();
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// Whether there is an io_uring. One that the kernel takes nothing from counts as well.
    [[nodiscard]] bool has_ring() const { return ring_ != nullptr; }
    /// Readable while finished operations wait for reap(); -1 without a ring.
    [[nodiscard]] int wait_fd() const;

    /// Queues a read or write of what is left of the operation, at device offsets, on `fd`. Sent
    /// off by flush(). False: not now (no ring, full, or in use by a stuck thread).
    bool start(RingUser& user, Operation& operation, int fd, int rw_flags);

    /// Sends off what start() has queued: one system call. What the kernel does not take comes
    /// back as ring_done() with EAGAIN.
    void flush();

    /// Hands out what has finished; returns how many.
    std::size_t reap();

    /// Whether the calling thread may make a system call that could block. Not while requests are
    /// on their way: their completions are delivered through the thread that submitted them
    /// (io_uring's task work), so if it got stuck, they would be stuck with it.
    [[nodiscard]] bool may_block() const { return in_flight_.load(std::memory_order_relaxed) == 0; }

    /// Keeps `fd`'s open file description alive until release() and the last request in the
    /// kernel: it is registered with the ring (IORING_REGISTER_FILES). A process that is killed
    /// keeps the claim that way while a write of its can still land. Returns the slot, or -1.
    int hold(int fd);
    void release(int slot);

private:
    struct State;
    [[nodiscard]] std::vector<Operation*> submit_locked();
    void return_all(const std::vector<Operation*>& refused);

    std::unique_ptr<State> ring_;
    std::mutex mutex_;
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> queued_{0};
};

} // namespace interposed::devices
