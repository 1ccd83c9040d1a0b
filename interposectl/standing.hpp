#pragma once

#include "fallback/guarded.hpp"
#include "interposectl/interposition.hpp"

#include <optional>
#include <string>

namespace interposed::ctl {

/// Whether a volume is as interposing has left it.
struct Standing {
    bool good = false;
    std::string text; ///< "ours", or what is wrong and what to do
};

/// `now` is what the kernel tells of it; nullopt: there is no such volume. Pure.
Standing standing_of(const Interposition& one, const std::optional<volume::Mapped>& now);

/// Of a volume that only its guard tells of. Pure.
Standing standing_of(const fallback::Guarded& one);

} // namespace interposed::ctl
