#include "fallback/say.hpp"

#include <poll.h>
#include <unistd.h>

namespace interposed::fallback {

void say(const std::string& text) {
    const std::string line = "interposectl guard: " + text + "\n";
    pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    if (::poll(&out, 1, 0) == 1 && (out.revents & POLLOUT) != 0)
        (void)!::write(STDERR_FILENO, line.data(), line.size());
}

} // namespace interposed::fallback
