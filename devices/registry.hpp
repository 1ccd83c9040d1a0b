#pragma once

#include "devices/claim.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace interposed::devices {

class Device;

/// Every opened device of this process, one per identity, shared by all who use it and closed
/// with the last of them. In the kernel all dm devices claim with one common holder; in user
/// space each O_EXCL open is a holder of its own, so a second one in the same process would fail
/// with EBUSY: hence open once and share. Thread-safe.
class Registry {
public:
    /// What an export asks for. `user` is the export's name, for messages.
    struct Wish {
        ClaimMode claim = ClaimMode::exclusive;
        Access access = Access::read_only;
        CacheMode cache = CacheMode::buffered;
        /// Whoever has it may be about to give it up, as a server that has just been killed is: it
        /// is tried again for so long.
        std::chrono::milliseconds patience{0};
        std::string user;
    };

    /// While one caller opens, raises or closes a device, others who want it wait this long.
    explicit Registry(std::chrono::milliseconds patience = std::chrono::seconds(10));
    ~Registry();
    Registry(const Registry&) = delete;
    Registry& operator=(const Registry&) = delete;

    /// The device as wished: opened now, or shared with those who have it open with the same
    /// claim (raised to read-write if that is wished and it was read-only, and with the size that
    /// it has now, if it has grown). Throws ClaimError: as Claim::take does, or because another
    /// export has it with another claim or cache mode, naming both exports. What is returned may
    /// outlive the registry.
    std::shared_ptr<Device> open(const DeviceInfo& info, const Wish& wish);

    /// Another claim for devices that are open: shared ones are adopted, or adopted ones shared
    /// again; all of them or none.
    class ClaimChange;
    /// All that can fail of it. From now on until the change is destroyed both claims are held, and
    /// nobody else opens these devices. Waits for them. Throws ClaimError: as Claim::prepare()
    /// does, or because another export uses one of them.
    std::unique_ptr<ClaimChange> prepare_claims(std::vector<std::shared_ptr<Device>> devices,
                                                ClaimMode mode, const std::string& user);

    /// `failed` is called, on whatever thread, when a flush of a device has failed for the first
    /// time. Set it before the first open().
    void on_flush_failed(std::function<void(const DeviceInfo&, int error)> failed);

    /// How many devices are open, or just being opened or closed.
    [[nodiscard]] std::size_t size() const;

private:
    struct State;
    class Membership;
    std::shared_ptr<State> state_; ///< the devices handed out share it
};

/// It keeps the devices open.
class Registry::ClaimChange {
public:
    virtual ~ClaimChange() = default;
    /// Makes it so. Nothing may be in flight on the devices, nor be begun meanwhile. Never waits.
    virtual void apply() noexcept = 0;
    /// Closes what the claims had before, or were to have. Of devices that have become shared it
    /// then waits, some seconds at most, until anybody can claim them: false if nobody could.
    virtual bool close() = 0;
};

} // namespace interposed::devices
