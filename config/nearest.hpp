#pragma once

#include <span>
#include <string>
#include <string_view>

namespace interposed::config {

/// The known word that a misspelt one most likely means; empty if none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

/// How a message goes on behind an unknown word: `; did you mean "x"?` or `; known: x, y`.
std::string hint(std::string_view word, std::span<const std::string_view> known);

} // namespace interposed::config
