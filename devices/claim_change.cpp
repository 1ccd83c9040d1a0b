#include "devices/claim_change.hpp"

#include "devices/claim_checks.hpp"
#include "devices/claim_opening.hpp"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <utility>
#include <vector>

// A claim that is held, adopted, and shared again. A block device is opened once more, for O_EXCL
// belongs to the open file description and requests in the kernel have to carry it; of a file only
// the locks change. docs/decisions/0017-adopted-claims.md
namespace interposed::devices {

namespace {

/// Whatever a claim can hold.
constexpr LockRights all_rights{.used = 0xf, .refused = 0xf};

} // namespace

Claim::Change::~Change() {
    if (locked_ >= 0)
        drop_locks(locked_, more_);
}

std::unique_ptr<Claim::Change> Claim::prepare(ClaimMode mode, std::span<const int> ours) const {
    if (mode_ == ClaimMode::exclusive || mode == ClaimMode::exclusive || mode == mode_)
        refuse(info_, std::string("to make a claim \"") + to_string(mode) +
                          "\", which is done of a shared or adopted one, found it \"" +
                          to_string(mode_) + "\"");
    auto change = std::make_unique<Change>(mode);
    std::vector<int> own(ours.begin(), ours.end());
    own.insert(own.end(), {claiming_.get(), raised_.get()});
    if (is_block_device(info_)) {
        change->claiming_ = open_claiming(info_, claiming_, mode, access_, cache_, own);
        own.push_back(change->claiming_.get());
    }
    if (mode == ClaimMode::adopted) {
        if (change->claiming_)
            check_opened(info_, change->claiming_.get(), access_);
        const LockRights held = lock_rights(mode_, access_);
        take_claim_locks(info_, mode, access_, claiming_, held, own);
        change->locked_ = claiming_.get();
        change->more_ = beyond(lock_rights(mode, access_), held);
    }
    if (change->claiming_)
        copy_claim_locks(info_, mode, access_, change->claiming_);
    return change;
}

void Claim::apply(Change& change) noexcept {
    change.locked_ = -1; // they are ours now
    if (change.moves_io()) {
        // A ring may keep the old description for a while yet, and its locks with it.
        drop_locks(claiming_.get(), all_rights);
        std::swap(claiming_, change.claiming_);
        std::swap(raised_, change.raised_);
    } else if (change.mode_ == ClaimMode::shared) {
        drop_locks(claiming_.get(),
                   beyond(lock_rights(mode_, access_), lock_rights(change.mode_, access_)));
    }
    mode_ = change.mode_;
}

void Claim::adopt() {
    apply(*prepare(ClaimMode::adopted));
}

void Claim::release() {
    apply(*prepare(ClaimMode::shared));
}

bool Claim::is_claimable() const {
    return !is_block_device(info_) ||
           open_again(claiming_, O_RDONLY | O_EXCL | O_CLOEXEC | O_NOCTTY) || errno != EBUSY;
}

} // namespace interposed::devices
