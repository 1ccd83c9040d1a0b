#include "server/loop.hpp"

#include <algorithm>
#include <unistd.h>

namespace interposed::server {

Loop::Loop(devices::Engine::Ring ring) : engine_(ring) {
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

Loops::Loops(unsigned count, devices::Engine::Ring ring) {
    for (unsigned i = 0; i < std::max(count, 1U); ++i)
        loops_.push_back(std::make_unique<Loop>(ring));
}

Loops::~Loops() {
    stop();
}

void Loops::start() {
    for (const auto& loop : loops_)
        hand_over(*loop);
    watchdog_ = std::thread([this] { watch(); });
}

void Loops::stop() {
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
        for (const auto& loop : loops_)
            loop->context_.stop();
        changed_.wait(lock, [this] { return threads_ == 0; });
    }
    if (watchdog_.joinable())
        watchdog_.join();
}

Loop& Loops::least_busy() {
    const auto fewer = [](const auto& a, const auto& b) { return a->sessions() < b->sessions(); };
    return **std::min_element(loops_.begin(), loops_.end(), fewer);
}

void Loops::hand_over(Loop& loop) {
    const std::lock_guard lock(mutex_);
    loop.turn_of_ = next_turn_;
    turns_.push_back({&loop, next_turn_++});
    if (spare_ >= turns_.size()) {
        changed_.notify_all();
        return;
    }
    std::thread([this] { serve_turns(); }).detach(); // stop() waits for the count
    ++threads_;
}

void Loops::serve_turns() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (turns_.empty()) {
            ++spare_;
            changed_.wait(lock);
            --spare_;
            continue;
        }
        const Turn turn = turns_.front();
        turns_.pop_front();
        lock.unlock();
        run(turn);
        lock.lock();
    }
    --threads_;
    changed_.notify_all();
}

void Loops::run(const Turn& turn) {
    asio::io_context& context = turn.loop->context_;
    const auto work = asio::make_work_guard(context);
    while (turn.loop->turn_of_.load(std::memory_order_relaxed) == turn.number &&
           context.run_one() > 0) {
    }
}

bool Loops::anybody_there() const {
    return std::any_of(loops_.begin(), loops_.end(),
                       [](const auto& loop) { return loop->sessions() > 0; });
}

void Loops::watch() {
    constexpr auto often = patience / 2;
    constexpr auto seldom = std::chrono::milliseconds(100);
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        changed_.wait_for(lock, anybody_there() ? often : seldom);
        lock.unlock();
        const auto now = devices::Engine::Clock::now();
        for (const auto& loop : loops_) {
            if (loop->engine_.stuck(now, patience)) {
                loop->engine_.blocking_abandoned();
                hand_over(*loop);
            }
        }
        lock.lock();
    }
}

} // namespace interposed::server
