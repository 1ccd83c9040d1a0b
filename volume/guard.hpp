#pragma once

#include <string>
#include <sys/types.h>

namespace interposed::volume {

/// A process that waits for this one to say that all is well with a volume, and if this one dies
/// instead, however that happens, drops the volume's inactive table and resumes it.
///
/// The kernel swaps tables in one call, so a volume can be left suspended only if that call fails
/// half-way and we are killed before we can answer; and an inactive table that was left there would
/// go live with the next resume of anybody.
class Guard {
public:
    /// Throws std::system_error.
    explicit Guard(const std::string& volume);
    /// All is well.
    ~Guard();
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

private:
    int line_ = -1;
    pid_t child_ = -1;
};

} // namespace interposed::volume
