#pragma once

#include "control/refusal.hpp"
#include "control/signal.hpp"

#include <asio/thread_pool.hpp>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace interposed::control {

/// A few threads for what may wait for a device, or takes long: the server's own must not.
class Jobs {
public:
    /// One may be stuck in a device, and others still do their work.
    static constexpr unsigned threads = 4;

    explicit Jobs(asio::io_context& context, unsigned count = threads)
        : context_(context), count_(count) {}
    ~Jobs() {
        if (pool_)
            pool_->join();
    }
    Jobs(const Jobs&) = delete;
    Jobs& operator=(const Jobs&) = delete;

    /// Runs `work` on one of the threads; gives back, or throws, what it does. After the deadline
    /// it throws Refusal, about `what`, and the work goes on without anybody waiting for it: so it
    /// owns all that it uses. Not if `cancel` says that it is too late to call it off: then it is
    /// waited for, however long it takes.
    template <typename Work>
    asio::awaitable<std::invoke_result_t<Work>> run(const char* what, Work work,
                                                    Clock::time_point deadline,
                                                    std::function<bool()> cancel = {}) {
        using Result = std::invoke_result_t<Work>;
        constexpr bool has_result = !std::is_void_v<Result>;
        struct Outcome {
            std::optional<std::conditional_t<has_result, Result, bool>> result;
            std::exception_ptr failed;
        };
        const auto outcome = std::make_shared<Outcome>();
        Signal done(context_);
        if (!pool_)
            pool_.emplace(count_);
        asio::post(*pool_, [outcome, work = std::move(work), tell = done.trigger()]() mutable {
            try {
                if constexpr (has_result)
                    outcome->result.emplace(work());
                else
                    work();
            } catch (...) {
                outcome->failed = std::current_exception();
            }
            { // what it owned is gone before anybody hears of it
                [[maybe_unused]] const Work last = std::move(work);
            }
            tell();
        });
        bool in_time = co_await done.wait(deadline);
        if (!in_time && cancel && !cancel())
            in_time = co_await done.wait(Clock::time_point::max());
        if (!in_time)
            throw Refusal(RefusalKind::timeout,
                          std::string(what) + " has not come to an end in time");
        if (outcome->failed)
            std::rethrow_exception(outcome->failed);
        if constexpr (has_result)
            co_return std::move(*outcome->result);
    }

private:
    asio::io_context& context_;
    const unsigned count_;
    /// Begun with the first job: what its threads may do is what the process may by then.
    std::optional<asio::thread_pool> pool_;
};

} // namespace interposed::control
