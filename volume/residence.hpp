#pragma once

#include <string>

namespace interposed::volume {

/// Everything this process has mapped, and will map, is read in and kept in memory, with room for
/// what libdevmapper allocates; what the kernel allocates for us it finds without writing back.
/// Empty, or why it could not be done.
std::string stay_resident();

} // namespace interposed::volume
