#pragma once

#include "config/config.hpp"

namespace interposed::control {

/// An export as a configuration file has it, with what becomes of exports only while they are
/// served, as it is `now`: a shared claim that is adopted, the volume in whose path it is, the
/// device that it is where the file names none. No file is at odds with these. docs/decisions/0017
inline config::Export with_run_time_state(config::Export written, const config::Export& now) {
    if (written.claim != config::Claim::exclusive && now.claim != config::Claim::exclusive)
        written.claim = now.claim;
    if (!written.interposed)
        written.interposed = now.interposed;
    if (!written.attach)
        written.attach = now.attach;
    return written;
}

} // namespace interposed::control
