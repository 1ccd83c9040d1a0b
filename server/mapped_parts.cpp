#include "server/mapped_parts.hpp"

#include <chrono>
#include <sys/resource.h>

namespace interposed::server {

namespace {

/// A call that takes longer may have waited for a device, or for its turn on a core.
constexpr std::chrono::microseconds suspicious{100};

/// How often this thread has waited for a page of any file; -1: not known.
long major_faults() {
    rusage used{};
    return ::getrusage(RUSAGE_THREAD, &used) == 0 ? used.ru_majflt : -1;
}

/// What that was when it was looked at last. That costs a system call, so only when need be.
long& major_faults_before() {
    static thread_local long before = major_faults();
    return before;
}

bool waited_for_pages() {
    long& before = major_faults_before();
    const long now = major_faults();
    const bool more = now != before || now < 0;
    before = now;
    return more;
}

} // namespace

MappedParts::~MappedParts() {
    if (count_ == 0)
        return;
    const auto left = Clock::now();
    const bool waited = faulted_ || (left - entered_ > suspicious && waited_for_pages());
    for (const Entered& each : std::span(entered_in_).first(count_))
        each.mapping->leave(each.place, left, waited);
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
    for (const Entered& each : std::span(entered_in_).first(count_)) {
        if (each.mapping == &mapping)
            return true;
    }
    if (count_ == entered_in_.size())
        return false;
    const auto place = mapping.enter(entered_);
    if (!place)
        return false;
    if (!marked_) {
        (void)major_faults_before();
        marked_.emplace(entered_);
    }
    entered_in_[count_++] = {&mapping, *place};
    return true;
}

} // namespace interposed::server
