#pragma once

#include "devices/layer.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <unistd.h>
#include <vector>

namespace interposed::tests {

/// A layer in memory. Answers everything at once, unless held: then nothing is answered until
/// release() or answer_one(). Can be told to fail from some offset on.
class MemoryDevice final : public devices::Layer {
public:
    explicit MemoryDevice(std::size_t size, devices::Limits limits = {})
        : bytes_(size), limits_(limits) {}

    [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
    [[nodiscard]] const devices::Limits& limits() const override { return limits_; }

    bool try_now(devices::Engine&, devices::Operation& operation) override {
        const std::lock_guard lock(mutex_);
        const bool quick = operation.kind == devices::OpKind::read ||
                           operation.kind == devices::OpKind::write ||
                           operation.kind == devices::OpKind::block_status;
        if (held_ || !quick || operation.fua)
            return false;
        if (operation.pipe >= 0)
            carry_out_from_pipe(operation);
        else
            carry_out(operation);
        return true;
    }

    void submit(devices::Engine&, devices::Operation& operation) override {
        {
            const std::lock_guard lock(mutex_);
            if (held_) {
                waiting_.push_back(&operation);
                changed_.notify_all();
                return;
            }
            carry_out(operation);
        }
        operation.complete(operation.error);
    }

    [[nodiscard]] bool zeroes_fast(mapping::Extent, bool) const override { return zeroes_fast_; }
    void set_zeroes_fast(bool fast) { zeroes_fast_ = fast; }

    [[nodiscard]] bool may_have_holes() const override { return hole_.length > 0; }
    /// What block status says is a hole. Its bytes stay as they are.
    void set_hole(mapping::Extent hole) { hole_ = hole; }

    [[nodiscard]] bool takes_pipes() const override { return takes_pipes_; }
    void set_takes_pipes(bool takes) { takes_pipes_ = takes; }

    /// From now on operations wait.
    void hold() {
        const std::lock_guard lock(mutex_);
        held_ = true;
    }

    /// Waits until so many operations wait.
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return waiting_.size() >= count; });
    }

    /// Answers the newest (or else the oldest) one that waits.
    void answer_one(bool newest = false) {
        devices::Operation* next = nullptr;
        {
            const std::lock_guard lock(mutex_);
            next = newest ? waiting_.back() : waiting_.front();
            newest ? waiting_.pop_back() : waiting_.pop_front();
            carry_out(*next);
        }
        next->complete(next->error);
    }

    void release() {
        std::size_t left = 0;
        {
            const std::lock_guard lock(mutex_);
            held_ = false;
            left = waiting_.size();
        }
        for (; left > 0; --left)
            answer_one();
    }

    /// Whatever touches a byte at or behind `offset` fails there.
    void fail_from(std::uint64_t offset, int error) {
        const std::lock_guard lock(mutex_);
        fail_from_ = offset;
        error_ = error;
    }

    void fail_flushes(int error) { flush_error_ = error; }

    std::vector<std::byte>& bytes() { return bytes_; }
    /// Whether this byte is not zero any more.
    bool has_written(std::uint64_t offset) {
        const std::lock_guard lock(mutex_);
        return bytes_[offset] != std::byte{0};
    }
    [[nodiscard]] unsigned flushes() const { return flushes_; }
    /// Operations that were to be stable.
    [[nodiscard]] unsigned stable() const { return stable_; }

private:
    void carry_out(devices::Operation& operation) {
        const mapping::Extent extent = operation.extent;
        operation.error = 0;
        operation.progress = extent.length;
        stable_ += operation.fua ? 1 : 0;
        if (operation.kind == devices::OpKind::flush) {
            ++flushes_;
            operation.error = fail_from_ == 0 ? error_ : flush_error_;
            return;
        }
        if (extent.end() > fail_from_) {
            operation.error = error_;
            operation.progress = std::max(extent.offset, fail_from_) - extent.offset;
            return;
        }
        std::byte* place = bytes_.data() + extent.offset;
        switch (operation.kind) {
        case devices::OpKind::read:
            std::memcpy(operation.data, place, extent.length);
            return;
        case devices::OpKind::write:
            std::memcpy(place, operation.data, extent.length);
            return;
        case devices::OpKind::write_zeroes:
            std::memset(place, 0, extent.length);
            return;
        case devices::OpKind::block_status:
            tell_status(extent, *operation.status);
            return;
        default:
            return;
        }
    }

    /// Whatever fails stays in the pipe, as it does with a file.
    void carry_out_from_pipe(devices::Operation& operation) {
        const std::uint64_t most =
            std::max(operation.extent.offset, fail_from_) - operation.extent.offset;
        const std::uint64_t length = std::min(operation.extent.length, most);
        operation.error = length < operation.extent.length ? error_ : 0;
        while (operation.progress < length) {
            const ssize_t got =
                ::read(operation.pipe, bytes_.data() + operation.extent.offset + operation.progress,
                       length - operation.progress);
            if (got <= 0)
                std::abort(); // promised: all of it is there
            operation.progress += static_cast<std::uint64_t>(got);
        }
    }

    void tell_status(mapping::Extent extent, std::vector<devices::StatusRun>& runs) const {
        const std::uint64_t begin = std::clamp(hole_.offset, extent.offset, extent.end());
        const std::uint64_t end = std::clamp(hole_.end(), begin, extent.end());
        const auto add = [&runs](std::uint64_t length, std::uint32_t flags) {
            if (length > 0)
                runs.push_back({length, flags});
        };
        add(begin - extent.offset, 0);
        add(end - begin, devices::StatusRun::hole | devices::StatusRun::zero);
        add(extent.end() - end, 0);
    }

    std::vector<std::byte> bytes_;
    devices::Limits limits_;
    mapping::Extent hole_;
    bool zeroes_fast_ = false;
    std::atomic<bool> takes_pipes_{true};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<devices::Operation*> waiting_;
    bool held_ = false;
    std::uint64_t fail_from_ = ~std::uint64_t{0};
    int error_ = 0;
    int flush_error_ = 0;
    unsigned flushes_ = 0;
    unsigned stable_ = 0;
};

} // namespace interposed::tests
