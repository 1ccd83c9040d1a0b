#include "server/loop.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <system_error>
#include <unistd.h>

namespace interposed::server {

Loop::Loop(devices::Engine::Ring ring, ClientLimits& limits, unsigned index)
    : limits_(limits), index_(index), engine_(ring) {
    if (engine_.has_ring()) {
        ring_ready_.emplace(context_, ::dup(engine_.wait_fd()));
        watch_ring();
    }
}

void Loop::watch_ring() {
    ring_ready_->async_wait(asio::posix::stream_descriptor::wait_read,
                            [this](const std::error_code& error) {
                                if (error)
                                    return;
                                engine_.reap();
                                watch_ring();
                            });
}

Loops::Loops(unsigned count, devices::Engine::Ring ring, ClientLimits& limits) {
    for (unsigned i = 0; i < std::max(count, 1U); ++i)
        loops_.push_back(std::make_unique<Loop>(ring, limits, i));
}

Loops::~Loops() {
    stop();
}

void Loops::start() {
    {
        const std::lock_guard lock(mutex_);
        for (const auto& loop : loops_) {
            hand_over(*loop);
            add_thread();
        }
        add_thread(); // a spare one from the beginning: later there may be none to be had
    }
    watchdog_ = std::thread([this] { watch(); });
}

void Loops::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        for (const auto& loop : loops_)
            loop->context_.stop();
    }
    if (watchdog_.joinable())
        watchdog_.join(); // first: it adds threads
    for (std::thread& each : threads_)
        each.join(); // also what a library does when a thread ends, which at exit comes too late
    threads_.clear();
}

std::vector<devices::Engine*> Loops::engines() {
    std::vector<devices::Engine*> all;
    for (const auto& loop : loops_)
        all.push_back(&loop->engine());
    return all;
}

Loop& Loops::least_busy() {
    const auto fewer = [](const auto& a, const auto& b) { return a->sessions() < b->sessions(); };
    return **std::min_element(loops_.begin(), loops_.end(), fewer);
}

/// With the mutex held.
void Loops::hand_over(Loop& loop) {
    if (loop.turn_)
        loop.turn_->end();
    loop.turn_ = std::make_shared<devices::Turn>();
    waiting_.push_back({&loop, loop.turn_});
    changed_.notify_all();
}

/// With the mutex held. Throws std::system_error.
void Loops::add_thread() {
    threads_.emplace_back([this] { serve_turns(); });
}

void Loops::serve_turns() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (waiting_.empty()) {
            ++spare_;
            changed_.wait(lock);
            --spare_;
            continue;
        }
        const Waiting next = waiting_.front();
        waiting_.pop_front();
        lock.unlock();
        run(next);
        lock.lock();
    }
}

void Loops::run(const Waiting& next) {
    asio::io_context& context = next.loop->context_;
    const auto work = asio::make_work_guard(context);
    devices::Turn::current() = next.turn.get();
    while (!next.turn->over() && context.run_one() > 0) {
    }
    devices::Turn::current() = nullptr;
}

bool Loops::anybody_there() const {
    return std::any_of(loops_.begin(), loops_.end(),
                       [](const auto& loop) { return loop->sessions() > 0; });
}

/// With the mutex held. A thread that is caught in a device, or all of them: no other can be had.
bool Loops::held_up_by_device(const Loop& loop) const {
    const bool waits = std::any_of(waiting_.begin(), waiting_.end(),
                                   [&loop](const Waiting& each) { return each.loop == &loop; });
    return waits ? spare_ == 0 : loop.turn_ && loop.turn_->in_call();
}

std::string Loops::standing_still() {
    const std::lock_guard lock(mutex_);
    const bool runs = watched_ != devices::Turn::Clock::time_point{};
    if (runs && devices::Turn::Clock::now() - watched_ > watchdog_patience)
        return "what looks after the event loops' threads stands still";
    std::string found;
    for (const auto& loop : loops_) {
        if (!loop->asked_.exchange(true))
            asio::post(loop->context_, [loop = loop.get()] { loop->asked_ = false; });
        else if (!held_up_by_device(*loop))
            found = "event loop " + std::to_string(loop->index()) + " does not turn";
    }
    return found;
}

void Loops::watch() {
    constexpr auto often = patience / 2;
    constexpr auto seldom = std::chrono::milliseconds(100);
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        watched_ = devices::Turn::Clock::now();
        changed_.wait_for(lock, anybody_there() ? often : seldom);
        const auto now = devices::Turn::Clock::now();
        for (const auto& loop : loops_) {
            if (loop->turn_ && loop->turn_->stuck(now, patience))
                hand_over(*loop);
        }
        if (spare_ > waiting_.size())
            continue;
        try {
            add_thread();
        } catch (const std::system_error&) {
            // None to be had: the next round tries again, and stuck threads may come back.
        }
    }
}

} // namespace interposed::server
