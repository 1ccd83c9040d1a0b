#pragma once

#include "fallback/guarded.hpp"

#include <string>

namespace interposed::fallback {

/// Watches over a volume until it is released, or has fallen back to its disks. If somebody does so
/// already it waits, and takes their place. Everything it needs is in memory and stays there.
/// Throws std::runtime_error if it cannot begin.
void guard(const GuardFiles& files, const std::string& identifier);

/// Sees to it that each volume that there is to guard, now or later, has a guard, whatever becomes
/// of those. Does not return. Throws std::runtime_error: another one does that already.
[[noreturn]] void guard_all(const GuardFiles& files);

} // namespace interposed::fallback
