#pragma once

#include <chrono>
#include <string>
#include <vector>

/// What may wait for a disk that never answers, and cannot be interrupted then: in a process of its
/// own, which is left behind if it takes longer than the limit.
namespace interposed::volume {

/// Reads the first and the last block of a device, from the device itself. Empty, or what went
/// wrong.
std::string try_reading(const std::string& path, std::chrono::seconds limit);

/// Claims a device for a moment. Empty, or what went wrong: others use it.
std::string try_claiming(const std::string& path, std::chrono::seconds limit);

/// Has the filesystems that are mounted there write what they hold. Empty, or what went wrong.
std::string write_back(const std::vector<std::string>& mounts, std::chrono::seconds limit);

} // namespace interposed::volume
