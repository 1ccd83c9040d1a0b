#pragma once

#include "devices/cache_mapping.hpp"
#include "devices/layer.hpp"
#include "devices/turn.hpp"

#include <array>
#include <cstddef>
#include <optional>
#include <span>

namespace interposed::server {

/// What one call sends straight from the page cache. Until it is destroyed, behind that call, its
/// thread is marked for the watchdog and counts as one that is inside of the mappings: a page that
/// leaves this very moment is waited for. On the thread that makes the call.
class MappedParts {
public:
    /// Null: nothing is to be found.
    explicit MappedParts(devices::Layer* layer) : layer_(layer) {}
    ~MappedParts();
    MappedParts(const MappedParts&) = delete;
    MappedParts& operator=(const MappedParts&) = delete;

    /// The leading part of the extent's bytes, for system calls only. Empty: they must be read.
    std::span<const std::byte> find(mapping::Extent extent);

    [[nodiscard]] bool any() const { return count_ > 0; }
    /// Some of what was found was not there.
    void faulted() { faulted_ = true; }

private:
    using Clock = devices::CacheMapping::Clock;
    bool enter(devices::CacheMapping& mapping);

    devices::Layer* layer_;
    Clock::time_point entered_{};
    std::optional<devices::BlockingCall> marked_;
    struct Entered {
        devices::CacheMapping* mapping;
        devices::CacheMapping::Place place;
    };
    std::array<Entered, 4> entered_in_{}; ///< who meets more of them takes less
    std::size_t count_ = 0;
    bool faulted_ = false;
};

} // namespace interposed::server
