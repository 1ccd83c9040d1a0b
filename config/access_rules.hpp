#pragma once

#include "config/reader.hpp"

#include <optional>
#include <vector>

namespace interposed::config {

/// Whose rules they are: what is known of a client when they are asked.
enum class RulesOf : std::uint8_t { an_export, a_tcp_listener, a_unix_listener };

/// The value of "allow", if there is one.
std::optional<std::vector<AccessRule>> read_rules(Reader& reader, const Fields& fields, RulesOf of);

} // namespace interposed::config
