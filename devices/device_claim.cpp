#include "devices/claim_change.hpp"
#include "devices/device.hpp"

#include <utility>

// What a device does about its claim while it is open.
namespace interposed::devices {

Device::~Device() {
    for (const auto& [engine, slot] : holds_)
        engine->release(slot);
}

void Device::raise_to_read_write() {
    claim_.raise();
    fd_ = claim_.io_fd();
    writable_ = true;
}

bool Device::claim_held_by(Engine& engine) {
    if (fd_.load(std::memory_order_relaxed) == claim_.claim_fd())
        return true; // the request itself holds the description that carries the claim
    const std::lock_guard lock(holds_mutex_);
    for (const auto& [holder, slot] : holds_) {
        if (holder == &engine)
            return true;
    }
    const int slot = engine.hold(claim_.claim_fd());
    if (slot >= 0)
        holds_.emplace_back(&engine, slot);
    return slot >= 0;
}

Device::ClaimChange::ClaimChange(std::unique_ptr<Claim::Change> of) : of_(std::move(of)) {}

Device::ClaimChange::~ClaimChange() {
    for (const auto& [engine, slot] : holds_)
        engine->release(slot);
}

std::unique_ptr<Device::ClaimChange> Device::prepare_claim(ClaimMode mode) {
    const std::lock_guard lock(sync_mutex_);
    const int ours[] = {sync_fd_.get()};
    return std::make_unique<ClaimChange>(claim_.prepare(mode, ours));
}

void Device::apply_claim(ClaimChange& change) noexcept {
    claim_.apply(*change.of_);
    claim_mode_ = claim_.mode();
    if (!change.of_->moves_io())
        return;
    fd_ = claim_.io_fd();
    // The rings hold the description of before, and I/O goes through the one that claims now.
    const std::lock_guard lock(holds_mutex_);
    change.holds_ = std::exchange(holds_, {});
}

} // namespace interposed::devices
