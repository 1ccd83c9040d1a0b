#pragma once

#include "devices/blocking.hpp"
#include "devices/cache_mapping.hpp"
#include "devices/claim.hpp"
#include "devices/counters.hpp"
#include "devices/engine.hpp"
#include "devices/file_descriptor.hpp"
#include "devices/inline_gate.hpp"
#include "devices/layer.hpp"
#include "devices/range_lock.hpp"
#include "devices/workers.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace interposed::devices {

/// An opened disk, partition or regular file. Thread-safe.
///
/// An operation takes the first of three ways that suits it: at once on the caller's thread
/// (try_now); through the caller's io_uring (reads, and aligned direct I/O); or on the device's
/// own worker threads, which only ever wait for this device.
///
/// Engines outlive the devices that used them. A device outlives its operations.
class Device final : public Layer, private RingUser {
public:
    /// Throws ClaimError where direct I/O is wanted and the size is not a multiple of its block.
    /// `lost` is called, on whatever thread, when a flush has failed for the first time.
    using FlushFailed = std::function<void(const DeviceInfo&, int error)>;
    Device(DeviceInfo info, Claim claim, FlushFailed lost = {});
    ~Device() override;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] const Limits& limits() const override { return limits_; }
    bool try_now(Engine& engine, Operation& operation) override;
    void submit(Engine& engine, Operation& operation) override;
    [[nodiscard]] bool zeroes_fast(mapping::Extent extent, bool no_hole) const override;
    [[nodiscard]] bool may_have_holes() const override { return may_have_holes_; }
    [[nodiscard]] bool takes_pipes() const override { return !direct() && takes_pipes_; }
    [[nodiscard]] std::optional<DirectExtent> direct_extent(mapping::Extent extent,
                                                            bool seen) override;
    [[nodiscard]] std::optional<MappedExtent>
    mapped_extent(mapping::Extent extent, std::chrono::steady_clock::time_point now) override;

    /// As it was when it was opened: it may have grown since.
    [[nodiscard]] const DeviceInfo& info() const { return info_; }
    [[nodiscard]] const Claim& claim() const { return claim_; }
    /// Any thread may ask; claim().access() and claim().mode() are for who changes them.
    [[nodiscard]] bool writable() const { return writable_; }
    [[nodiscard]] ClaimMode claim_mode() const { return claim_mode_; }

    /// Raises a read-only claim. Called by the registry, before the export that needs it serves.
    void raise_to_read_write();

    /// As Claim::prepare() and Claim::apply(); both are called by the registry. While it is applied
    /// nothing may be in flight, nor be begun.
    class ClaimChange;
    std::unique_ptr<ClaimChange> prepare_claim(ClaimMode mode);
    void apply_claim(ClaimChange& change) noexcept;

    /// It has more bytes now, which may be used from now on. Throws ClaimError if it has not.
    void grow_to(std::uint64_t size);

    /// Makes stable what was written, as a flush does. Waits. 0, or an errno.
    int flush() { return sync(); }

    /// Forgets that a flush failed: whoever asks for it knows that data may be lost. Drops what
    /// the page cache has of it, which may not be what is on the device. Where a flush still
    /// fails, nothing is forgotten. Waits.
    struct Reopened {
        int forgotten = 0;     ///< an errno, or 0
        int still_failing = 0; ///< an errno, or 0
    };
    Reopened reopen();

    [[nodiscard]] DeviceTotals totals() const { return counters_.totals(); }

    /// A flush that failed: every later one fails too, since the kernel reports lost data once.
    [[nodiscard]] int flush_error() const { return flush_error_; }

private:
    [[nodiscard]] bool direct() const { return claim_.cache() == CacheMode::direct; }
    /// Whether direct I/O can be done on the operation's range, from its own buffer.
    [[nodiscard]] bool aligned(const Operation& operation) const;
    /// The whole blocks around the operation's range.
    [[nodiscard]] mapping::Extent blocks(const Operation& operation) const;

    [[nodiscard]] bool cached(mapping::Extent extent) const;
    bool read_now(Operation& operation);
    bool blocking_now(Engine& engine, Operation& operation);
    int status(Operation& operation);

    void dispatch(Engine* engine, Operation& operation);
    bool start_on_ring(Engine& engine, Operation& operation);
    void ring_done(Engine& engine, Operation& operation, std::int32_t result) override;
    bool claim_held_by(Engine& engine);

    void run_blocking(Operation* chain);
    int carry_out(Operation& operation);
    int write_zeroes(Operation& operation);
    int sync();
    int write_through(Operation& operation);
    void count(const Operation& operation, int error);
    /// What was to be stable is not.
    void lose(int error);
    /// A thread could not be had for it.
    void refuse(Operation& operation);
    /// Ends an operation that was submitted, and starts those that waited for its range.
    void finish(Engine* engine, Operation& operation, int error);

    const DeviceInfo info_;
    Claim claim_;
    std::atomic<bool> writable_;
    std::atomic<ClaimMode> claim_mode_;
    const FlushFailed lost_;
    std::atomic<std::uint64_t> size_;      ///< bytes
    const std::uint32_t block_;            ///< bytes; 1 unless I/O is direct
    const bool modifies_blocks_;           ///< small writes read, modify and write whole blocks
    const bool may_punch_;                 ///< a punched hole is a way to write zeroes
    const blocking::FastZero zeroes_fast_; ///< what the filesystem can do
    std::atomic<bool> may_have_holes_;
    std::atomic<int> fd_;
    Limits limits_;
    const unsigned max_on_ring_; ///< requests at a time
    std::atomic<unsigned> on_ring_{0};

    std::atomic<bool> nowait_reads_{true};
    std::atomic<bool> direct_reads_{true};      ///< until a read fails
    std::atomic<bool> takes_pipes_{true};       ///< until the filesystem refuses one
    std::atomic<std::int64_t> last_miss_ns_{0}; ///< when a read last found something not cached

    /// Only for syncs: the kernel tells each open file description of an error once, and with this
    /// one nobody else can be told in their place.
    FileDescriptor sync_fd_; ///< under sync_mutex_
    /// Of that description, since it carries no claim; null if I/O is direct.
    const std::unique_ptr<CacheMapping> mapping_;
    std::mutex sync_mutex_; ///< one sync at a time: the next must know how this one ended
    std::atomic<int> flush_error_{0};
    Counters counters_;
    InlineGate gate_;
    RangeLock write_ranges_; ///< used only if modifies_blocks_
    std::mutex holds_mutex_;
    std::vector<std::pair<Engine*, int>> holds_;
    Workers workers_;
};

/// Destroying it may wait: it closes what the claim had before, or was to have.
class Device::ClaimChange {
public:
    explicit ClaimChange(std::unique_ptr<Claim::Change> of);
    ~ClaimChange();
    ClaimChange(const ClaimChange&) = delete;
    ClaimChange& operator=(const ClaimChange&) = delete;

private:
    friend class Device;
    std::unique_ptr<Claim::Change> of_;
    std::vector<std::pair<Engine*, int>> holds_; ///< of what the claim had before
};

} // namespace interposed::devices
