#pragma once

#include "interposectl/syntax.hpp"

#include <string>

namespace interposed::ctl {

/// Every verb with a line of its own.
std::string overall_help();

/// One verb with its options.
std::string verb_help(const VerbSyntax& verb);

} // namespace interposed::ctl
