#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace interposed::bench {

/// Threads that do one job each and start together. The first that fails stops all.
class Crew {
public:
    /// The job must return soon after the flag it is given is set.
    using Job = std::function<void(const std::atomic<bool>& stop)>;

    void add(Job job) { jobs_.push_back(std::move(job)); }

    /// Without it the jobs end by themselves.
    void stop_after(std::chrono::duration<double> time) { time_ = time; }

    /// Starts all jobs and returns when all have ended. Throws what the first of them threw.
    void wait();

private:
    void work(const Job& job);
    void sleep_or_fail();

    std::vector<Job> jobs_;
    std::chrono::duration<double> time_{0};
    std::atomic<bool> stop_ = false;
    std::mutex mutex_; ///< of failure_
    std::condition_variable failed_;
    std::exception_ptr failure_;
};

} // namespace interposed::bench
