#include "server/status_runs.hpp"

#include <utility>

namespace interposed::server {

namespace {

/// Puts runs together from the ends of their parts.
class Joined {
public:
    explicit Joined(std::uint64_t offset) : end_(offset) {}

    void add_to(std::uint64_t end, std::uint32_t flags) {
        if (end <= end_)
            return;
        if (!runs_.empty() && runs_.back().flags == flags)
            runs_.back().length += end - end_;
        else
            runs_.push_back({end - end_, flags});
        end_ = end;
    }

    [[nodiscard]] bool empty() const { return runs_.empty(); }
    [[nodiscard]] StatusRuns take() { return std::move(runs_); }

private:
    StatusRuns runs_;
    std::uint64_t end_;
};

} // namespace

StatusRuns whole_block_runs(const StatusRuns& runs, std::uint64_t offset, std::uint64_t end,
                            std::uint32_t block, std::uint32_t kept) {
    Joined joined(offset);
    std::uint64_t at = offset;
    std::uint64_t shared_end = 0; ///< of a block that the run before ended in; 0: it ended with one
    std::uint32_t shared = 0;     ///< what is true of that block so far
    for (const devices::StatusRun& run : runs) {
        const std::uint32_t flags = run.flags & kept;
        at += run.length;
        if (shared_end > 0) {
            shared &= flags;
            if (at < shared_end)
                continue;
            joined.add_to(shared_end, shared);
        }
        const std::uint64_t last_block = at / block * block;
        joined.add_to(last_block, flags);
        shared_end = at > last_block ? last_block + block : 0;
        shared = flags;
    }
    // What was asked about may end within a block.
    if (shared_end > 0 && (at >= end || joined.empty()))
        joined.add_to(at, shared);
    return joined.take();
}

} // namespace interposed::server
