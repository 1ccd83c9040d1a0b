#pragma once

#include "devices/file_descriptor.hpp"
#include "devices/probe.hpp"

#include <memory>
#include <span>
#include <stdexcept>

/// The right to use a device, exclusive or shared. docs/decisions/0003-claims.md says why each
/// rule is as it is.
namespace interposed::devices {

enum class ClaimMode : std::uint8_t {
    exclusive,
    shared,
    adopted, ///< claimed as an exclusive one, and used as a shared one: docs/decisions/0017
};
enum class Access : std::uint8_t { read_only, read_write };
enum class CacheMode : std::uint8_t { buffered, direct };

const char* to_string(ClaimMode mode);
const char* to_string(Access access);
const char* to_string(CacheMode cache);

/// A claim could not be had. what() names the device, what was wanted, and who holds it.
class ClaimError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Somebody else has it now. Nothing was wrong with the wish.
class DeviceBusy : public ClaimError {
public:
    using ClaimError::ClaimError;
};

/// Holds one device open: O_EXCL and qemu's byte locks for an exclusive block device, the byte
/// locks alone for a regular file, and no O_EXCL for a shared claim. Given back by the
/// destructor. An adopted claim holds what an exclusive one does. Never falls back from exclusive
/// to shared. Not thread-safe.
class Claim {
public:
    /// Opens and claims at once. The device must still be the one that was probed (identity, size
    /// and block size are checked again), and a shared block device must be direct. Throws
    /// DeviceBusy or another ClaimError.
    static Claim take(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache);

    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&& other) noexcept;
    ~Claim() = default;

    /// Raises a read-only claim to read-write without dropping it, not even for a moment: the
    /// claiming description stays open beside the new one. No effect if it is read-write.
    /// Throws ClaimError, and then everything is as before.
    void raise();

    /// Another mode for a claim that is held, shared or adopted: all that can fail of it.
    class Change;
    /// From now on until the change is destroyed both claims are held, and this one is as it was.
    /// It must not be raised meanwhile. `ours` are more descriptors of ours, which are not to be
    /// named as somebody else's. Throws DeviceBusy or another ClaimError.
    [[nodiscard]] std::unique_ptr<Change> prepare(ClaimMode mode,
                                                  std::span<const int> ours = {}) const;
    /// Makes it so. I/O goes through io_fd() as it is now; the descriptors that there were are
    /// closed by the change, and nothing may be in flight on them.
    void apply(Change& change) noexcept;

    /// Both at once, from shared to adopted and back.
    void adopt();
    void release();

    /// Whether anybody could claim the device now: not while somebody does.
    [[nodiscard]] bool is_claimable() const;

    /// The descriptor for I/O: the claiming open file description itself, unless raised.
    [[nodiscard]] int io_fd() const { return raised_ ? raised_.get() : claiming_.get(); }
    /// The descriptor that carries the claim. Where it differs from io_fd() every io_uring that
    /// submits to the device must have it registered, so that the claim outlives its requests.
    [[nodiscard]] int claim_fd() const { return claiming_.get(); }

    [[nodiscard]] ClaimMode mode() const { return mode_; }
    [[nodiscard]] Access access() const { return access_; }
    [[nodiscard]] CacheMode cache() const { return cache_; }

private:
    Claim(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache)
        : info_(info), mode_(mode), access_(access), cache_(cache) {}

    DeviceInfo info_;
    ClaimMode mode_;
    Access access_;
    CacheMode cache_;
    // In this order: the claim is the last to be closed.
    FileDescriptor claiming_;
    FileDescriptor raised_; ///< for I/O, without O_EXCL and locks; only after raise()
};

} // namespace interposed::devices
