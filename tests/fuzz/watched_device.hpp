#pragma once

#include "devices/file_descriptor.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/memory_device.hpp"

#include <cstring>
#include <deque>
#include <sys/mman.h>
#include <unistd.h>

namespace interposed::fuzz {

/// A device in memory that aborts when it is asked for what it does not have, knows what its bytes
/// were before, and can be slow: then operations wait until they are answered one by one. Some of
/// it can be a hole, as long as nothing in it is changed.
class WatchedDevice final : public devices::Layer {
public:
    explicit WatchedDevice(std::size_t size, devices::Limits limits = {}, mapping::Extent hole = {})
        : memory_(size, limits), before_(size), hole_(hole) {
        for (std::size_t i = 0; i < size; ++i)
            before_[i] = static_cast<std::byte>(i % 251 + 1);
        std::fill_n(before_.begin() + static_cast<std::ptrdiff_t>(hole.offset), hole.length,
                    std::byte{0});
        memory_.bytes() = before_;
        memory_.set_zeroes_fast(hole.length > 0);
        require(::write(file_.get(), before_.data(), size) == static_cast<ssize_t>(size),
                "there are files in memory");
    }

    [[nodiscard]] std::uint64_t size() const override { return before_.size(); }
    [[nodiscard]] const devices::Limits& limits() const override { return memory_.limits(); }

    bool try_now(devices::Engine& engine, devices::Operation& operation) override {
        look_at(operation);
        return !slow_ && memory_.try_now(engine, operation);
    }

    void submit(devices::Engine& engine, devices::Operation& operation) override {
        look_at(operation);
        if (slow_)
            waiting_.push_back(&operation);
        else
            memory_.submit(engine, operation);
    }

    [[nodiscard]] bool zeroes_fast(mapping::Extent extent, bool no_hole) const override {
        return memory_.zeroes_fast(extent, no_hole);
    }
    [[nodiscard]] bool may_have_holes() const override { return memory_.may_have_holes(); }
    [[nodiscard]] bool takes_pipes() const override { return memory_.takes_pipes(); }

    [[nodiscard]] std::optional<devices::DirectExtent> direct_extent(mapping::Extent extent,
                                                                     bool /*seen*/) override {
        require(extent.length > 0 && extent.fits(size()), "a device is asked for what it has");
        if (!cached_ || changed_)
            return std::nullopt;
        return devices::DirectExtent{file_.get(), extent.offset, extent.length};
    }

    /// Answers the newest or else the oldest operation. False: none waits.
    bool answer_one(devices::Engine& engine, bool newest) {
        if (waiting_.empty())
            return false;
        devices::Operation& next = newest ? *waiting_.back() : *waiting_.front();
        newest ? waiting_.pop_back() : waiting_.pop_front();
        memory_.submit(engine, next);
        return true;
    }

    /// As it was in the beginning, but slow or not, as if in the page cache until something is
    /// changed or not, and failing from some offset on or not.
    void begin(bool slow, bool cached, std::uint64_t fail_from, int error) {
        require(waiting_.empty(), "nothing waits in a device at the end");
        if (changed_)
            memory_.bytes() = before_;
        changed_ = false;
        slow_ = slow;
        cached_ = cached && error == 0;
        memory_.set_hole(hole_);
        memory_.fail_from(fail_from, error);
    }

    void require_unchanged(mapping::Extent extent) {
        if (!changed_ && extent.length < before_.size())
            return;
        require(std::memcmp(memory_.bytes().data() + extent.offset, before_.data() + extent.offset,
                            extent.length) == 0,
                "bytes that belong to nobody, or to readers only, never change");
    }

private:
    void look_at(const devices::Operation& operation) {
        using devices::OpKind;
        if (operation.kind == OpKind::flush)
            return;
        const mapping::Extent& extent = operation.extent;
        require(extent.length > 0 && extent.fits(size()), "a device is asked for what it has");
        const std::uint32_t block = limits().minimum_block;
        const bool changes = operation.kind == OpKind::write || operation.kind == OpKind::trim ||
                             operation.kind == OpKind::write_zeroes;
        changed_ = changed_ || changes;
        if (changes && extent.overlaps(hole_))
            memory_.set_hole({});
        const bool moves_data = operation.kind == OpKind::read || operation.kind == OpKind::write;
        require(!moves_data || (extent.offset % block == 0 && extent.length % block == 0),
                "a device is asked for whole blocks");
    }

    tests::MemoryDevice memory_;
    Bytes before_;
    mapping::Extent hole_;
    std::deque<devices::Operation*> waiting_;
    devices::FileDescriptor file_{::memfd_create("watched", MFD_CLOEXEC)};
    bool slow_ = false;
    bool cached_ = false;
    bool changed_ = false;
};

} // namespace interposed::fuzz
