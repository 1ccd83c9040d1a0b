#include "server/pipe.hpp"

#include <array>
#include <fcntl.h>
#include <unistd.h>

namespace interposed::server {

Pipe::Pipe(devices::FileDescriptor out, devices::FileDescriptor in)
    : out_(std::move(out)), in_(std::move(in)) {
    (void)::fcntl(in_.get(), F_SETPIPE_SZ, wanted_capacity); // a smaller one works as well
    const int capacity = ::fcntl(in_.get(), F_GETPIPE_SZ);
    capacity_ = capacity > 0 ? static_cast<std::size_t>(capacity) : 0;
}

std::optional<Pipe> Pipe::open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0)
        return std::nullopt;
    Pipe made{devices::FileDescriptor(ends[0]), devices::FileDescriptor(ends[1])};
    if (made.capacity() < least_capacity)
        return std::nullopt;
    return made;
}

std::optional<Pipe> PipePool::take() {
    std::unique_lock lock(mutex_);
    if (free_.empty()) {
        lock.unlock();
        return Pipe::open();
    }
    std::optional<Pipe> taken = std::move(free_.back());
    free_.pop_back();
    return taken;
}

void PipePool::give_back(Pipe pipe) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kept_at_most)
        free_.push_back(std::move(pipe));
}

} // namespace interposed::server
