#pragma once

#include "fallback/guarded.hpp"

#include <string>

/// What the verbs for volumes have to do with guards.
namespace interposed::ctl {

/// Lets a guard watch over the volume: the service's, or one that is started here. Returns when it
/// does. Throws LocalFailure, and then there is none.
void start_guard(const fallback::GuardFiles& files, const fallback::Guarded& one);

/// The volume wants no guard any more. Returns when there is none. Throws LocalFailure.
void end_guard(const fallback::GuardFiles& files, const std::string& identifier);

/// "guarded", "NO GUARD", "standing in" or "fallen back".
std::string guard_text(const fallback::GuardFiles& files, const fallback::Guarded& one);

} // namespace interposed::ctl
