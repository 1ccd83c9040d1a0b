#include "devices/claim.hpp"

#include "devices/claim_checks.hpp"
#include "devices/claim_opening.hpp"

#include <array>
#include <cerrno>

namespace interposed::devices {

const char* to_string(ClaimMode mode) {
    switch (mode) {
    case ClaimMode::shared:
        return "shared";
    case ClaimMode::adopted:
        return "adopted";
    case ClaimMode::exclusive:
        break;
    }
    return "exclusive";
}

const char* to_string(Access access) {
    return access == Access::read_write ? "read-write" : "read-only";
}

const char* to_string(CacheMode cache) {
    return cache == CacheMode::direct ? "direct" : "buffered";
}

Claim Claim::take(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache) {
    check_cache(info, mode, cache);
    Claim claim(info, mode, access, cache);
    claim.claiming_ = open_probed(info, mode, access, cache);
    check_opened(info, claim.claiming_.get(), access);
    take_claim_locks(info, mode, access, claim.claiming_, {}, std::array{claim.claiming_.get()});
    return claim;
}

Claim& Claim::operator=(Claim&& other) noexcept {
    Claim taken(std::move(other)); // named first, so that moving onto itself is safe
    std::swap(info_, taken.info_);
    std::swap(mode_, taken.mode_);
    std::swap(access_, taken.access_);
    std::swap(cache_, taken.cache_);
    std::swap(claiming_, taken.claiming_);
    std::swap(raised_, taken.raised_);
    return *this;
}

void Claim::raise() {
    if (access_ == Access::read_write)
        return;
    // Without O_EXCL: a second exclusive open would be refused because of our own first.
    FileDescriptor raised = open_again(claiming_, open_flags(Access::read_write, cache_));
    if (!raised)
        refuse_unopenable(info_, Access::read_write, cache_, errno);
    check_opened(info_, raised.get(), Access::read_write);
    take_claim_locks(info_, mode_, Access::read_write, claiming_, lock_rights(mode_, access_),
                     std::array{claiming_.get(), raised.get()});
    raised_ = std::move(raised);
    access_ = Access::read_write;
}

} // namespace interposed::devices
