#pragma once

#include "control/state_store.hpp"

#include <string>
#include <vector>

namespace interposed::control {

/// Tells one boot of this host from another; empty if the kernel does not say.
std::string boot_id();

/// What is recorded of device-mapper's tables, of the kernel's devices and of claims that were
/// adopted was true of the kernel that had them. After a reboot volumes come up with tables of
/// their own, and no server from before is left to be kept out: exports that were interposed are
/// forgotten (or, if the configuration has them, are what they were before), and adopted claims are
/// shared again. Nothing, if the folder was last used in this boot. What was forgotten, in words.
/// Throws std::runtime_error, naming the file.
std::vector<std::string> forget_other_boot(StateStore& store, const std::string& boot);

} // namespace interposed::control
