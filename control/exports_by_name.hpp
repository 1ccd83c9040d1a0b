#pragma once

#include "config/config.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::control {

/// For messages: export "vol0".
inline std::string export_text(std::string_view name) {
    return "export " + config::in_quotes(name);
}

/// Null: there is none of that name.
inline const config::Export* find_export(const std::vector<config::Export>& exports,
                                         std::string_view name) {
    const auto found = std::find_if(exports.begin(), exports.end(),
                                    [name](const auto& each) { return each.name == name; });
    return found == exports.end() ? nullptr : &*found;
}

} // namespace interposed::control
