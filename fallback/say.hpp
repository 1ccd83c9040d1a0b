#pragma once

#include <string>

namespace interposed::fallback {

/// A line on standard error, unless that would wait: whoever reads it may be waiting for the
/// volume.
void say(const std::string& text);

} // namespace interposed::fallback
