#pragma once

#include "control/exposition.hpp"

#include <string_view>

namespace interposed::control {

/// What a scraper that sends this Accept header (empty: none) is answered in. OpenMetrics only for
/// those that ask for it by name and like it no less than plain text; nobody is refused.
Dialect dialect_for(std::string_view accept);

/// The Content-Type of a dialect.
const char* media_type(Dialect dialect);

} // namespace interposed::control
