#pragma once

#include "devices/file_descriptor.hpp"

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

namespace interposed::server {

/// A pipe through which payloads go from a socket to a device without being copied on the way:
/// it holds references to the socket's pages (splice(2)). Neither end waits.
class Pipe {
public:
    /// What the kernel allows everybody (fs.pipe-max-size). Bytes.
    static constexpr int wanted_capacity = 1 << 20;

    static constexpr std::size_t least_capacity = std::size_t{64} << 10;

    /// nullopt: there is none to be had now, or only one that is too small.
    static std::optional<Pipe> open();

    [[nodiscard]] int in() const { return in_.get(); }
    [[nodiscard]] int out() const { return out_.get(); }
    /// Bytes, where every page is full.
    [[nodiscard]] std::size_t capacity() const { return capacity_; }

private:
    Pipe(devices::FileDescriptor out, devices::FileDescriptor in);

    devices::FileDescriptor out_;
    devices::FileDescriptor in_;
    std::size_t capacity_ = 0;
};

/// Keeps a few empty pipes, which cost three system calls to make. Thread-safe: who is caught in a
/// system call goes on with its session while another thread has the loop.
class PipePool {
public:
    static constexpr std::size_t kept_at_most = 8;

    std::optional<Pipe> take();
    /// It must be empty.
    void give_back(Pipe pipe);

private:
    std::mutex mutex_;
    std::vector<Pipe> free_;
};

} // namespace interposed::server
