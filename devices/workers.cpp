#include "devices/workers.hpp"

#include <cassert>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>

namespace interposed::devices {

namespace {

constexpr std::chrono::seconds idle_before_exit{10};

/// A first-in first-out list through Operation::next.
class Queue {
public:
    [[nodiscard]] bool empty() const { return first_ == nullptr; }

    void push(Operation& operation) {
        operation.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &operation;
        last_ = &operation;
    }
    Operation* pop() {
        Operation* taken = first_;
        first_ = taken->next;
        taken->next = nullptr;
        return taken;
    }
    Operation* take_all() {
        Operation* taken = first_;
        first_ = nullptr;
        return taken;
    }

private:
    Operation* first_ = nullptr;
    Operation* last_ = nullptr;
};

} // namespace

struct Workers::Shared {
    Shared(unsigned max, Run what) : run(std::move(what)), max_threads(max) {}

    const Run run;
    const unsigned max_threads;
    std::mutex mutex;
    std::condition_variable work;
    std::condition_variable ended;
    Queue flushes;
    Queue others;
    unsigned queued = 0;
    unsigned threads = 0;
    unsigned idle = 0; ///< threads that are waiting, or about to take what they were woken for
    bool stopping = false;

    [[nodiscard]] bool has_work() const { return !flushes.empty() || !others.empty(); }

    Operation* take() {
        if (flushes.empty()) {
            --queued;
            return others.pop();
        }
        Operation* chain = flushes.take_all();
        for (const Operation* each = chain; each != nullptr; each = each->next)
            --queued;
        return chain;
    }

    /// The life of one thread.
    void serve() {
        std::unique_lock lock(mutex);
        for (;;) {
            ++idle;
            const bool woken =
                work.wait_for(lock, idle_before_exit, [this] { return stopping || has_work(); });
            --idle;
            if (!has_work() && (stopping || !woken))
                break;
            Operation* chain = take();
            lock.unlock();
            run(chain);
            lock.lock();
        }
        if (--threads == 0)
            ended.notify_all();
    }
};

Workers::Workers(unsigned max_threads, Run run, Refuse refuse)
    : shared_(std::make_shared<Shared>(max_threads, std::move(run))), refuse_(std::move(refuse)) {}

Workers::~Workers() {
    std::unique_lock lock(shared_->mutex);
    assert(!shared_->has_work());
    shared_->stopping = true;
    shared_->work.notify_all();
    shared_->ended.wait(lock, [this] { return shared_->threads == 0; });
}

void Workers::submit(Operation& operation) {
    Shared& shared = *shared_;
    std::unique_lock lock(shared.mutex);
    if (shared.idle <= shared.queued && shared.threads < shared.max_threads) {
        try {
            // Detached, and kept alive by its own reference: the destructor waits for the count.
            std::thread([shared = shared_] { shared->serve(); }).detach();
            ++shared.threads;
        } catch (const std::system_error&) {
            // No more threads to be had: those that run will come to it.
            if (shared.threads == 0) {
                lock.unlock();
                refuse_(operation);
                return;
            }
        }
    }
    (operation.kind == OpKind::flush ? shared.flushes : shared.others).push(operation);
    ++shared.queued;
    shared.work.notify_one();
}

} // namespace interposed::devices
