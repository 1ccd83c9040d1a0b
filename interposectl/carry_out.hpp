#pragma once

#include "interposectl/arguments.hpp"
#include "interposectl/client.hpp"

namespace interposed::ctl {

/// Does what a verb says and prints what came of it. Throws Failure.
void carry_out(const Arguments& arguments);

} // namespace interposed::ctl
