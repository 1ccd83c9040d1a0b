#pragma once

#include "devices/cache_mapping.hpp"
#include "devices/layer.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace interposed::tests {

/// Random numbers for any thread.
class Dice {
public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    /// 0 to sides - 1
    std::uint64_t roll(std::uint64_t sides) const {
        std::uint64_t mixed = state_.fetch_add(0x9e3779b97f4a7c15, std::memory_order_relaxed);
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
        return (mixed ^ mixed >> 31) % sides;
    }
    bool one_in(std::uint64_t sides) const { return roll(sides) == 0; }

private:
    mutable std::atomic<std::uint64_t> state_;
};

/// Whatever of this kind touches the range fails, at the first byte that is in it.
struct Fault {
    devices::OpKind kind;
    mapping::Extent where; ///< of a flush it says nothing
    int error;

    [[nodiscard]] bool meets(devices::OpKind other, mapping::Extent extent) const {
        return kind == other && where.offset < extent.end() && extent.offset < where.end();
    }
};

/// A layer over a file in memory, with faults. Where an operation may be carried out in several
/// ways, it is chance which: at once, when it is submitted, or later on another thread, the newest
/// or the oldest first; through a pipe or not; by sendfile, from a mapping, or neither.
class FaultyDevice final : public devices::Layer {
public:
    /// A blunt device does not say how far an operation came.
    FaultyDevice(std::size_t size, std::vector<Fault> faults, std::uint64_t seed,
                 bool blunt = false)
        : size_(size), faults_(std::move(faults)), blunt_(blunt), dice_(seed),
          file_(::memfd_create("faulty", MFD_CLOEXEC)),
          memory_(::mmap(nullptr, size, PROT_READ, MAP_SHARED, file_, 0)), mapping_(file_, size),
          answerer_([this] { answer_waiting(); }) {
        shorten(size);
        if (memory_ == MAP_FAILED)
            std::abort();
    }

    ~FaultyDevice() override {
        {
            const std::lock_guard lock(mutex_);
            ended_ = true;
        }
        changed_.notify_all();
        answerer_.join();
        ::munmap(memory_, size_);
        ::close(file_);
    }

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] const devices::Limits& limits() const override { return limits_; }
    [[nodiscard]] bool takes_pipes() const override { return !dice_.one_in(4); }

    bool try_now(devices::Engine&, devices::Operation& operation) override {
        const bool quick = operation.kind == devices::OpKind::read ||
                           (operation.kind == devices::OpKind::write && !operation.fua);
        if (!quick || dice_.one_in(3)) {
            if (operation.pipe < 0)
                operation.progress = dice_.roll(operation.extent.length + 1); // as it may
            return false;
        }
        carry_out(operation);
        return true;
    }

    void submit(devices::Engine&, devices::Operation& operation) override {
        operation.progress = 0;
        if (dice_.one_in(4)) {
            carry_out(operation);
            operation.complete(operation.error);
            return;
        }
        const std::lock_guard lock(mutex_);
        waiting_.push_back(&operation);
        changed_.notify_all();
    }

    std::optional<devices::DirectExtent> direct_extent(mapping::Extent extent,
                                                       bool /*seen*/) override {
        const bool promised = promises_ > 0 && promises_-- > 0;
        const bool sound = !first(devices::OpKind::read, extent) && !dice_.one_in(4);
        if (!promised && (breaks_promises_ || !sound))
            return std::nullopt;
        return devices::DirectExtent{.fd = file_, .offset = extent.offset, .length = extent.length};
    }

    std::optional<devices::MappedExtent>
    mapped_extent(mapping::Extent extent, std::chrono::steady_clock::time_point) override {
        if (!always_mapped_ && (first(devices::OpKind::read, extent) || dice_.one_in(2)))
            return std::nullopt;
        return devices::MappedExtent{.data = static_cast<const std::byte*>(memory_) + extent.offset,
                                     .length = extent.length,
                                     .mapping = &mapping_};
    }

    /// From now on it says that all bytes are mapped, whatever is wrong with them.
    void promise_memory() { always_mapped_ = true; }
    /// What was mapped is not in memory any more.
    void hide_memory() {
        if (::mprotect(memory_, size_, PROT_NONE) != 0)
            std::abort();
    }

    /// So many times it says that bytes can be had by sendfile, whatever is wrong with them; after
    /// that never again.
    void promise(int times) {
        promises_ = times;
        breaks_promises_ = true;
    }
    /// The file below, behind the back of the layer.
    void shorten(std::size_t size) {
        if (::ftruncate(file_, static_cast<off_t>(size)) != 0)
            std::abort();
    }

private:
    [[nodiscard]] const Fault* first(devices::OpKind kind, mapping::Extent extent) const {
        const Fault* found = nullptr;
        for (const Fault& fault : faults_) {
            if (fault.meets(kind, extent) && (!found || fault.where.offset < found->where.offset))
                found = &fault;
        }
        return found;
    }

    void carry_out(devices::Operation& operation) const {
        operation.error = 0;
        operation.progress = 0;
        const mapping::Extent extent = operation.extent;
        if (operation.kind == devices::OpKind::flush) {
            for (const Fault& fault : faults_)
                operation.error = fault.kind == operation.kind ? fault.error : operation.error;
            return;
        }
        const Fault* fault = first(operation.kind, extent);
        const std::uint64_t end =
            fault ? std::max(fault->where.offset, extent.offset) : extent.end();
        while (operation.error == 0 && extent.offset + operation.progress < end)
            move(operation, end - extent.offset - operation.progress);
        if (operation.error == 0 && fault)
            operation.error = fault->error;
        if (operation.error != 0 && blunt_ && operation.pipe < 0)
            operation.progress = 0;
    }

    /// The next bytes, at most so many.
    void move(devices::Operation& operation, std::uint64_t length) const {
        std::array<std::byte, 65536> scrap{}; // zeroes
        const bool has_data = operation.data && operation.pipe < 0;
        std::byte* data = has_data ? operation.data + operation.progress : scrap.data();
        if (!has_data)
            length = std::min<std::uint64_t>(length, scrap.size());
        const auto at = static_cast<off_t>(operation.extent.offset + operation.progress);
        ssize_t moved = static_cast<ssize_t>(length);
        if (operation.pipe >= 0)
            moved = ::read(operation.pipe, data, length);
        if (operation.kind == devices::OpKind::read)
            moved = ::pread(file_, data, length, at);
        else if (operation.kind == devices::OpKind::write ||
                 operation.kind == devices::OpKind::write_zeroes)
            moved = ::pwrite(file_, data, static_cast<std::size_t>(moved), at);
        if (moved <= 0)
            operation.error = EIO; // it was shortened
        else
            operation.progress += static_cast<std::uint64_t>(moved);
    }

    void answer_waiting() {
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
            if (waiting_.empty())
                return;
            const bool newest = dice_.one_in(2);
            devices::Operation& next = newest ? *waiting_.back() : *waiting_.front();
            newest ? waiting_.pop_back() : waiting_.pop_front();
            lock.unlock();
            if (dice_.one_in(16))
                std::this_thread::sleep_for(std::chrono::microseconds(dice_.roll(500)));
            carry_out(next);
            next.complete(next.error);
            lock.lock();
        }
    }

    const std::size_t size_;
    const std::vector<Fault> faults_;
    const bool blunt_;
    const Dice dice_;
    const int file_;
    void* const memory_; ///< the same file, mapped
    devices::CacheMapping mapping_;
    const devices::Limits limits_;
    std::atomic<int> promises_{0};
    std::atomic<bool> breaks_promises_{false};
    std::atomic<bool> always_mapped_{false};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<devices::Operation*> waiting_;
    bool ended_ = false;
    std::thread answerer_; // the last: it uses the others
};

} // namespace interposed::tests
