#pragma once

#include "fallback/disks.hpp"

namespace interposed::fallback {

/// Serves disks to the kernel's nbd driver, on one end of a socket pair whose other end it has: one
/// request after the other, until it says goodbye, is gone, or says what cannot be. It is for a
/// while, and for what a server may have died of: so it shares nothing with the server but how
/// bytes are read, and does everything by a plain call that waits.
void serve(int socket, Disks& disks);

} // namespace interposed::fallback
