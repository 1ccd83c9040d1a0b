#include "bench/crew.hpp"

namespace interposed::bench {

void Crew::wait() {
    std::vector<std::thread> threads;
    threads.reserve(jobs_.size());
    for (const Job& job : jobs_)
        threads.emplace_back([this, &job] { work(job); });
    if (time_.count() > 0)
        sleep_or_fail();
    for (std::thread& thread : threads)
        thread.join();
    if (failure_)
        std::rethrow_exception(failure_);
}

void Crew::work(const Job& job) {
    try {
        job(stop_);
    } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_)
            failure_ = std::current_exception();
        stop_ = true;
        failed_.notify_all();
    }
}

void Crew::sleep_or_fail() {
    std::unique_lock lock(mutex_);
    failed_.wait_for(lock, time_, [this] { return failure_ != nullptr; });
    stop_ = true;
}

} // namespace interposed::bench
