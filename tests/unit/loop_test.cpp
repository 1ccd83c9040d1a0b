#include "devices/turn.hpp"
#include "server/loop.hpp"

#include <asio/post.hpp>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

namespace interposed::server {

namespace {

using namespace std::chrono_literals;

/// Lets a thread in, and out again when it is told.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        inside_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
    }
    void wait_until_inside() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return inside_; });
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool inside_ = false;
    bool open_ = false;
};

/// Of a thread, and slow to go when the thread ends, as what a library keeps there may be.
struct OfThread {
    ~OfThread() {
        if (gone != nullptr) {
            std::this_thread::sleep_for(50ms);
            *gone = true;
        }
    }
    std::atomic<bool>* gone = nullptr;
};

/// Two loops that run.
struct Running {
    Running() { loops.start(); }
    ~Running() { loops.stop(); }

    /// Asks until they have had the time to answer.
    void wait_until_turning() {
        while (!loops.standing_still().empty())
            std::this_thread::sleep_for(10ms);
    }

    ClientLimits limits{.memory = MemoryBudget(std::uint64_t{1} << 20)};
    Loops loops{2, devices::Engine::Ring::never, limits};
};

} // namespace

TEST_CASE("loops that have nothing to do turn", "[server]") {
    Running running;
    for (int i = 0; i < 3; ++i)
        running.wait_until_turning();
}

TEST_CASE("what a loop's thread kept for itself is gone when the loops have stopped", "[server]") {
    std::atomic<bool> gone{false};
    {
        Running running;
        std::promise<void> kept;
        asio::post(running.loops.least_busy().context(), [&] {
            thread_local OfThread own;
            own.gone = &gone;
            kept.set_value();
        });
        kept.get_future().wait();
    }
    CHECK(gone);
}

TEST_CASE("a loop whose thread is stuck somewhere stands still, until it goes on", "[server]") {
    Running running;
    Gate gate;
    asio::post(running.loops.least_busy().context(), [&gate] { gate.pass(); });
    gate.wait_until_inside();
    (void)running.loops.standing_still();
    for (int i = 0; i < 3; ++i)
        CHECK(running.loops.standing_still().find("event loop ") == 0);
    gate.open();
    running.wait_until_turning();
}

TEST_CASE("a loop that a device took the thread of turns, with another thread", "[server]") {
    Running running;
    Gate gate;
    Loop& loop = running.loops.least_busy();
    asio::post(loop.context(), [&gate] {
        const devices::BlockingCall marked(devices::Turn::Clock::now());
        gate.pass();
    });
    gate.wait_until_inside();
    std::promise<void> turned;
    asio::post(loop.context(), [&turned] { turned.set_value(); });
    turned.get_future().wait();
    for (int i = 0; i < 3; ++i)
        running.wait_until_turning();
    gate.open();
}

} // namespace interposed::server
