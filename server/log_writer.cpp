#include "server/log_writer.hpp"

#include "server/signals_blocked.hpp"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <pthread.h>
#include <system_error>
#include <thread>
#include <utility>

namespace interposed::server {

struct LogWriter::State {
    State(std::shared_ptr<LogOutput> to, DroppedLine line, std::size_t size)
        : output(std::move(to)), dropped_line(std::move(line)), capacity(size) {}

    void run();
    [[nodiscard]] bool something_to_write() const { return !queue.empty() || gap; }
    std::uint64_t write(std::string& batch, std::uint64_t reported);

    const std::shared_ptr<LogOutput> output;
    const DroppedLine dropped_line;
    const std::size_t capacity;
    std::atomic<std::uint64_t> dropped{0};

    std::mutex mutex; ///< guards what follows
    std::condition_variable wake;
    std::condition_variable progress;
    std::thread thread;
    bool stopping = false;
    bool ended = false;
    std::string queue;
    std::size_t writing = 0;      ///< bytes that the thread is writing
    std::uint64_t accepted = 0;   ///< bytes, ever
    std::uint64_t settled = 0;    ///< bytes of those: written or lost
    bool gap = false;             ///< behind the queue lines are missing, so nothing may follow
    std::uint64_t unreported = 0; ///< lines that are missing
};

void LogWriter::State::run() {
    std::string batch;
    std::unique_lock lock(mutex);
    for (;;) {
        wake.wait(lock, [this] { return something_to_write() || stopping; });
        if (!something_to_write())
            break;
        batch.swap(queue);
        const std::uint64_t reported = std::exchange(unreported, 0);
        const std::uint64_t accepted_now = accepted;
        gap = false;
        writing = batch.size();
        lock.unlock();
        const std::uint64_t lost = write(batch, reported);
        lock.lock();
        batch.clear();
        writing = 0;
        settled = accepted_now;
        unreported += lost;
        progress.notify_all();
    }
    ended = true;
    progress.notify_all();
}

/// Returns how many lines are to be reported with the next batch: writing has failed.
std::uint64_t LogWriter::State::write(std::string& batch, std::uint64_t reported) {
    if (reported > 0)
        batch += dropped_line(reported);
    const std::uint64_t left = output->write(batch);
    if (left == 0)
        return 0;
    const std::uint64_t lost = reported > 0 ? left - 1 : left; // the report itself is no loss
    dropped += lost;
    return lost + reported;
}

LogWriter::LogWriter(std::shared_ptr<LogOutput> output, DroppedLine dropped_line,
                     std::size_t capacity)
    : state_(std::make_shared<State>(std::move(output), std::move(dropped_line), capacity)) {}

LogWriter::LogWriter(int fd, DroppedLine dropped_line, std::size_t capacity)
    : LogWriter(std::make_shared<LinesTo>(fd), std::move(dropped_line), capacity) {}

LogWriter::~LogWriter() {
    std::unique_lock lock(state_->mutex);
    state_->stopping = true;
    state_->wake.notify_all();
    if (!state_->thread.joinable())
        return;
    if (state_->progress.wait_for(lock, patience, [this] { return state_->ended; })) {
        lock.unlock(); // it may still be on its way out
        state_->thread.join();
    } else {
        state_->thread.detach();
    }
}

/// With the mutex. False: there is no thread to be had.
bool LogWriter::start() {
    if (state_->thread.joinable())
        return true;
    const SignalsBlocked blocked;
    try {
        state_->thread = std::thread([state = state_] { state->run(); });
    } catch (const std::system_error&) {
        return false;
    }
    ::pthread_setname_np(state_->thread.native_handle(), "log");
    return true;
}

void LogWriter::put(std::string_view line) {
    State& state = *state_;
    const std::lock_guard lock(state.mutex);
    if (!start()) {
        state.dropped += state.output->write(line);
        return;
    }
    if (state.gap || state.queue.size() + state.writing + line.size() > state.capacity) {
        state.gap = true;
        ++state.unreported;
        ++state.dropped;
        return;
    }
    state.queue += line;
    state.accepted += line.size();
    state.wake.notify_one();
}

bool LogWriter::flush(Clock::time_point deadline) {
    std::unique_lock lock(state_->mutex);
    const std::uint64_t until = state_->accepted;
    return state_->progress.wait_until(lock, deadline,
                                       [&] { return state_->settled >= until && !state_->gap; });
}

std::uint64_t LogWriter::dropped() const {
    return state_->dropped;
}

} // namespace interposed::server
