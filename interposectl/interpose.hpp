#pragma once

#include "interposectl/arguments.hpp"
#include "interposectl/errors.hpp"

/// The verbs that put the server into the path of a volume and take it out again. They print what
/// came of it, and throw Failure; what was begun is undone then, and the message says so.
namespace interposed::ctl {

Exit interpose(const Arguments& arguments);
Exit release(const Arguments& arguments);
/// Which volumes, and whether they still are. Not `done` if something is wrong.
Exit show_interposed(const Arguments& arguments);
/// Watches over one volume that is to fall back to its disks, or over all there are: docs/man. Asks
/// no server.
Exit guard(const Arguments& arguments);

} // namespace interposed::ctl
