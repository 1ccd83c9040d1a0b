#include "devices/range_lock.hpp"

#include <algorithm>
#include <cassert>

namespace interposed::devices {

bool RangeLock::must_wait(const Entry& entry, std::size_t waiting_before) const {
    if (modifying_ == 0)
        return false; // nothing but plain writes anywhere
    const auto blocks = [&](const Entry& other) { return other.conflicts(entry); };
    const auto waiting_end = waiting_.begin() + static_cast<std::ptrdiff_t>(waiting_before);
    return std::any_of(held_.begin(), held_.end(), blocks) ||
           std::any_of(waiting_.begin(), waiting_end, blocks);
}

bool RangeLock::lock(Operation& operation, mapping::Extent range, Mode mode) {
    const Entry entry{range, mode, &operation};
    const std::lock_guard guard(mutex_);
    if (mode == Mode::read_modify_write)
        ++modifying_;
    if (must_wait(entry, waiting_.size())) {
        waiting_.push_back(entry);
        return false;
    }
    held_.push_back(entry);
    return true;
}

Operation* RangeLock::unlock(Operation& operation) {
    const std::lock_guard guard(mutex_);
    const auto held = std::find_if(held_.begin(), held_.end(), [&](const Entry& entry) {
        return entry.operation == &operation;
    });
    assert(held != held_.end());
    if (held->mode == Mode::read_modify_write)
        --modifying_;
    *held = held_.back();
    held_.pop_back();

    Operation* granted = nullptr;
    for (std::size_t i = 0; i < waiting_.size();) {
        if (must_wait(waiting_[i], i)) {
            ++i;
            continue;
        }
        const Entry entry = waiting_[i];
        waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(i));
        held_.push_back(entry);
        entry.operation->next = granted;
        granted = entry.operation;
    }
    return granted;
}

} // namespace interposed::devices
