#pragma once

#include "interposectl/arguments.hpp"
#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"

namespace interposed::ctl {

/// Does what a verb says and prints what came of it. Throws Failure.
Exit carry_out(const Arguments& arguments);

} // namespace interposed::ctl
