#pragma once

#include <string>

namespace interposed::devices {

/// Why a file cannot be had, in quotes, and where rights are the reason, who has none:
/// "\"Permission denied\" for user \"interposed\"". On a thread that may wait.
std::string denied_to(int error);

} // namespace interposed::devices
