#pragma once

#include "control/exposition.hpp"
#include "control/process.hpp"
#include "server/report.hpp"

#include <string>

namespace interposed::control {

/// A server at one moment, as metrics: those of interposed begin with "interposed_", those of every
/// process with "process_". Kinds of request that few clients use are told of once there was one;
/// nothing that was told of is ever missing later. Pure.
std::string render(const server::ServerReport& report, const Process& process, Dialect dialect);

} // namespace interposed::control
