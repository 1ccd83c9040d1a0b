#include "bench/inbox.hpp"

#include "bench/wire.hpp"

#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>

namespace interposed::bench {

std::size_t Inbox::receive(Socket& socket, bool wait) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    assert(end_ < capacity);
    const ssize_t got = socket.receive({buffer_.get() + end_, capacity - end_}, wait);
    if (got == 0)
        throw ProtocolError("the server closed the connection");
    if (got < 0 && errno == EAGAIN && wait)
        throw ProtocolError("no answer from the server for " +
                            std::to_string(socket.limit().count()) + " s");
    if (got < 0 && errno != EAGAIN && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "receive");
    if (got < 0)
        return 0;
    end_ += static_cast<std::size_t>(got);
    return static_cast<std::size_t>(got);
}

} // namespace interposed::bench
