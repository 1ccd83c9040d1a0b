#include "server/mapped_parts.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace interposed::server {

namespace {

/// A call that takes longer may have waited for a device, or for its turn on a core.
constexpr std::chrono::microseconds suspicious{100};

/// Whether this thread has waited for pages of any file since it was last asked.
bool waited_for_pages() {
    static thread_local long before = -1;
    rusage used{};
    if (::getrusage(RUSAGE_THREAD, &used) != 0)
        return true;
    const bool more = before >= 0 && used.ru_majflt != before;
    before = used.ru_majflt;
    return more;
}

} // namespace

MappedParts::~MappedParts() {
    if (count_ == 0)
        return;
    const auto left = Clock::now();
    const bool waited = faulted_ || (left - entered_ > suspicious && waited_for_pages());
    for (std::size_t i = 0; i < count_; ++i)
        mappings_[i]->leave(entered_, left, waited);
}

std::span<const std::byte> MappedParts::find(mapping::Extent extent) {
    if (layer_ == nullptr)
        return {};
    if (entered_ == Clock::time_point{})
        entered_ = Clock::now();
    const auto there = layer_->mapped_extent(extent, entered_);
    if (!there || !enter(*there->mapping))
        return {};
    return {there->data, there->length};
}

bool MappedParts::enter(devices::CacheMapping& mapping) {
    const auto end = mappings_.begin() + count_;
    if (std::find(mappings_.begin(), end, &mapping) != end)
        return true;
    if (count_ == mappings_.size() || !mapping.enter(entered_))
        return false;
    if (!marked_)
        marked_.emplace(entered_);
    mappings_[count_++] = &mapping;
    return true;
}

} // namespace interposed::server
