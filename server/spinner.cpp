#include "server/spinner.hpp"

#include <algorithm>
#include <sys/resource.h>

namespace interposed::server {

long Spinner::involuntary_switches() {
    rusage usage{};
    (void)::getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

void Spinner::failed(bool pushed_off) {
    if (pushed_off)
        not_before_ = Clock::now() + give_way_for;
    failures_ = std::min(failures_ + 1, 16U);
    // Two in a row may be chance.
    if (failures_ > 2)
        skip_ = std::min(1U << (failures_ - 2), most_skipped);
}

} // namespace interposed::server
