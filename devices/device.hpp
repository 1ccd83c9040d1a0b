#pragma once

#include "devices/blocking.hpp"
#include "devices/claim.hpp"
#include "devices/engine.hpp"
#include "devices/file_descriptor.hpp"
#include "devices/inline_gate.hpp"
#include "devices/layer.hpp"
#include "devices/range_lock.hpp"
#include "devices/workers.hpp"

#include <atomic>
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
    Device(DeviceInfo info, Claim claim);
    ~Device() override;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    [[nodiscard]] std::uint64_t size() const override { return info_.size; }
    [[nodiscard]] const Limits& limits() const override { return limits_; }
    bool try_now(Engine& engine, Operation& operation) override;
    void submit(Engine& engine, Operation& operation) override;
    [[nodiscard]] bool zeroes_fast(mapping::Extent extent, bool no_hole) const override;
    [[nodiscard]] bool may_have_holes() const override { return may_have_holes_; }
    [[nodiscard]] bool takes_pipes() const override { return !direct() && takes_pipes_; }
    [[nodiscard]] std::optional<DirectExtent> direct_extent(mapping::Extent extent,
                                                            bool seen) override;

    [[nodiscard]] const DeviceInfo& info() const { return info_; }
    [[nodiscard]] const Claim& claim() const { return claim_; }

    /// Raises a read-only claim. Called by the registry, before the export that needs it serves.
    void raise_to_read_write();

    /// A flush that failed: every later one fails too, since the kernel reports lost data once.
    [[nodiscard]] int flush_error() const { return flush_error_; }

private:
    [[nodiscard]] bool direct() const { return claim_.cache() == CacheMode::direct; }
    /// Whether direct I/O can be done on the operation's range, from its own buffer.
    [[nodiscard]] bool aligned(const Operation& operation) const;
    /// The whole blocks around the operation's range.
    [[nodiscard]] mapping::Extent blocks(const Operation& operation) const;

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
    /// A thread could not be had for it.
    void refuse(Operation& operation);
    /// Ends an operation that was submitted, and starts those that waited for its range.
    void finish(Engine* engine, Operation& operation, int error);

    DeviceInfo info_;
    Claim claim_;
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
    const FileDescriptor sync_fd_;
    std::mutex sync_mutex_; ///< one sync at a time: the next must know how this one ended
    std::atomic<int> flush_error_{0};
    InlineGate gate_;
    RangeLock write_ranges_; ///< used only if modifies_blocks_
    std::mutex holds_mutex_;
    std::vector<std::pair<Engine*, int>> holds_;
    Workers workers_;
};

} // namespace interposed::devices
