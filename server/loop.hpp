#pragma once

#include "devices/engine.hpp"
#include "server/buffer_pool.hpp"
#include "server/client_limits.hpp"
#include "server/pipe.hpp"

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace interposed::server {

/// One event loop: the sessions that live on it, their io_uring and their buffers. One thread
/// runs it at a time, but not always the same one (see Loops).
class Loop {
public:
    Loop(devices::Engine::Ring ring, ClientLimits& limits, unsigned index = 0);

    /// Which of the server's loops it is.
    [[nodiscard]] unsigned index() const { return index_; }
    asio::io_context& context() { return context_; }
    devices::Engine& engine() { return engine_; }
    BufferPool& buffers() { return buffers_; }
    PipePool& pipes() { return pipes_; }
    ClientLimits& limits() { return limits_; }

    /// Counts a session in or out, for placing the next one.
    void enter() { sessions_.fetch_add(1, std::memory_order_relaxed); }
    void leave() { sessions_.fetch_sub(1, std::memory_order_relaxed); }
    [[nodiscard]] unsigned sessions() const { return sessions_.load(std::memory_order_relaxed); }

    /// A session has something to do. On the loop.
    void note_turn(const void* session) {
        const unsigned changed = last_turn_.exchange(session, relaxed) == session ? 0 : scale;
        mixed_.store(mixed_.load(relaxed) - mixed_.load(relaxed) / 8 + changed / 8, relaxed);
    }
    /// Whether one session has had nearly all the turns of late: then a core may be idle while it
    /// works, and nobody waits for this thread while it spins.
    [[nodiscard]] bool one_busy_session() const { return mixed_.load(relaxed) < scale / 4; }

private:
    friend class Loops;
    void watch_ring();

    ClientLimits& limits_;
    const unsigned index_;
    BufferPool buffers_; // outlives what the context still holds
    PipePool pipes_;
    devices::Engine engine_;
    asio::io_context context_;
    std::optional<asio::posix::stream_descriptor> ring_ready_;
    std::atomic<unsigned> sessions_{0};
    static constexpr auto relaxed = std::memory_order_relaxed;
    static constexpr unsigned scale = 1024;
    std::atomic<const void*> last_turn_{nullptr};
    std::atomic<unsigned> mixed_{0};      ///< how often another session has the turn, of `scale`
    std::shared_ptr<devices::Turn> turn_; ///< of the thread that runs it; under Loops::mutex_
    std::atomic<bool> asked_{false};      ///< to show that it turns, and has not yet
};

/// The loops of a server, about one to a core, the threads that run them, and a watchdog.
///
/// A thread that gets stuck in a system call on a device must not hold up the other sessions of
/// its loop. Such calls are marked (devices::BlockingCall); when one lasts longer than
/// `patience`, the watchdog gives the loop to a spare thread, and the stuck one becomes a spare
/// when it comes back. Devices see to it that few are caught (InlineGate).
class Loops {
public:
    static constexpr std::chrono::milliseconds patience{20};
    /// The watchdog looks every tenth of a second; if it has not for so long, it never will.
    static constexpr std::chrono::seconds watchdog_patience{5};

    Loops(unsigned count, devices::Engine::Ring ring, ClientLimits& limits);
    ~Loops();
    Loops(const Loops&) = delete;
    Loops& operator=(const Loops&) = delete;

    /// Starts the threads.
    void start();
    /// Ends them; what the loops still had to do is not done. Waits for all, also for a stuck one.
    void stop();

    [[nodiscard]] unsigned count() const { return static_cast<unsigned>(loops_.size()); }
    /// Of all loops. They live as long as these.
    [[nodiscard]] std::vector<devices::Engine*> engines();
    /// The loop with the fewest sessions.
    Loop& least_busy();

    /// What has not moved since the last call, though no device keeps it from moving; empty: all is
    /// well. Who asks too often finds what is only slow.
    [[nodiscard]] std::string standing_still();

private:
    struct Waiting {
        Loop* loop = nullptr;
        std::shared_ptr<devices::Turn> turn;
    };

    void hand_over(Loop& loop);
    void add_thread();
    void serve_turns();
    void run(const Waiting& next);
    void watch();
    [[nodiscard]] bool anybody_there() const;
    [[nodiscard]] bool held_up_by_device(const Loop& loop) const;

    std::vector<std::unique_ptr<Loop>> loops_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Waiting> waiting_; ///< loops that want a thread
    unsigned spare_ = 0;
    std::vector<std::thread> threads_; ///< all that were ever needed: none ends before stop()
    devices::Turn::Clock::time_point watched_{}; ///< when the watchdog last looked
    bool stopping_ = false;
    std::thread watchdog_;
};

} // namespace interposed::server
