#include "server/log_output.hpp"

#include <algorithm>
#include <cerrno>
#include <poll.h>
#include <unistd.h>

namespace interposed::server {

std::uint64_t LogOutput::count(std::string_view records) const {
    return static_cast<std::uint64_t>(std::count(records.begin(), records.end(), end()));
}

std::uint64_t LinesTo::write(std::string_view records) {
    while (!records.empty()) {
        const ssize_t put = ::write(fd_, records.data(), records.size());
        if (put > 0) {
            records.remove_prefix(static_cast<std::size_t>(put));
        } else if (put < 0 && errno == EAGAIN) { // whoever else has it made it non-blocking
            pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
            (void)::poll(&writable, 1, -1);
        } else if (put == 0 || errno != EINTR) {
            break;
        }
    }
    return count(records);
}

} // namespace interposed::server
