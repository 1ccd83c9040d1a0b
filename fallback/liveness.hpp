#pragma once

#include <chrono>
#include <string>

/// Whether a server is alive, and what to do about one that is not and has not ended either.
namespace interposed::fallback {

/// Who has the lease of the attachment: "pid 12". Empty: nobody.
std::string lease_holder(const std::string& identifier);

/// Whether somebody answers on this control socket within the limit, whatever it says.
bool answers(const std::string& socket, std::chrono::seconds limit);

/// Kills whoever has the lease of the attachment. What was killed: "pid 12". Throws
/// std::runtime_error if it cannot be told who that is, from here.
std::string kill_holder(const std::string& identifier);

} // namespace interposed::fallback
