#pragma once

#include "server/resolve.hpp"

#include <vector>

namespace interposed::server {

/// What exports ask for that cannot be had together: one device with two claims or two cache
/// modes, a disk and its partition both claimed exclusively, writable areas that overlap.
void find_conflicts(const std::vector<ResolvedExport>& exports, std::vector<config::Fault>& faults);

} // namespace interposed::server
