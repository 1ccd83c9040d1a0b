#pragma once

#include "control/state_store.hpp"

#include <functional>
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

/// Whether something in this host's kernel is built upon the device of an attachment: a volume that
/// it was put into the path of. True where that cannot be told.
bool is_built_upon(const std::string& device);

/// What is recorded as being in a volume's path, and is not any more: while no server was there its
/// guard, LVM or somebody else has given the volume another table. Serving it again would be of no
/// use, and its claim may be had by nobody. `is_built_upon` tells of the kernel. What was
/// forgotten, in words. Throws as above.
std::vector<std::string> forget_ended(StateStore& store,
                                      const std::function<bool(const std::string&)>& is_built_upon);

} // namespace interposed::control
