#pragma once

#include "devices/operation.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace interposed::devices {

class CacheMapping;
class Counters;
class Engine;

/// What a layer can do, fixed while it lives. Sizes are bytes.
struct Limits {
    std::uint32_t minimum_block = 1; ///< requests must be multiples of it
    std::uint32_t preferred_block = 4096;
    std::uint32_t buffer_alignment = 1; ///< of Operation::data, to be carried out without a copy
    bool rotational = false;
};

/// Bytes that can go from the page cache to a socket without passing through our memory.
struct DirectExtent {
    int fd = -1;
    std::uint64_t offset = 0;     ///< bytes, in the file of `fd`
    std::uint64_t length = 0;     ///< bytes; at most what was asked for
    Counters* counters = nullptr; ///< to be told of what was sent, if there are any
};

/// Bytes that a system call can take from the page cache, where that is mapped.
struct MappedExtent {
    const std::byte* data = nullptr; ///< not to be touched but by system calls: EFAULT is possible
    std::uint64_t length = 0;        ///< bytes; at most what was asked for
    CacheMapping* mapping =
        nullptr; ///< never null; to be entered meanwhile: the call may wait after all
    Counters* counters = nullptr; ///< to be told of what is read, if there are any
};

/// Anything that carries out block operations: an opened device, or something over one (a table
/// over several, and later a snapshot or a delay). The seam below an export: nothing above it
/// knows what kind of storage it is. Callable from any thread.
class Layer {
public:
    virtual ~Layer() = default;

    [[nodiscard]] virtual std::uint64_t size() const = 0; ///< bytes
    [[nodiscard]] virtual const Limits& limits() const = 0;

    /// Carries out the operation if that needs no waiting: true when it is finished (`error` is
    /// set, `done` is not called). False: nothing is owed, submit it; `progress` may have grown.
    virtual bool try_now(Engine& engine, Operation& operation) = 0;

    /// Starts the operations. Each is answered by its `done`, from any thread. The caller calls
    /// engine.flush() after its last submit, so that a batch costs one system call.
    virtual void submit(Engine& engine, Operation& operation) = 0;

    /// Whether write_zeroes of the range can be done without writing zeroes, and so at a speed
    /// that does not depend on its length.
    [[nodiscard]] virtual bool zeroes_fast(mapping::Extent extent, bool no_hole) const {
        (void)extent, (void)no_hole;
        return false;
    }

    /// Whether it is worth asking for the block status of what is to be read.
    [[nodiscard]] virtual bool may_have_holes() const { return false; }

    /// Whether a write can be taken out of a pipe.
    [[nodiscard]] virtual bool takes_pipes() const { return false; }

    /// Where the leading part of `extent` can be had with sendfile without waiting: it is in the
    /// page cache now. nullopt: it must be read. `fd` stays open as long as the layer lives.
    /// `seen`: the caller was told so of these bytes a moment ago, and they need not be looked up.
    [[nodiscard]] virtual std::optional<DirectExtent> direct_extent(mapping::Extent extent,
                                                                    bool seen) {
        (void)extent, (void)seen;
        return std::nullopt;
    }

    /// Where the leading part of `extent` is in memory, if it was there at `now` or a moment
    /// before. nullopt: it must be read. Valid while the layer lives.
    [[nodiscard]] virtual std::optional<MappedExtent>
    mapped_extent(mapping::Extent extent, std::chrono::steady_clock::time_point now) {
        (void)extent, (void)now;
        return std::nullopt;
    }
};

} // namespace interposed::devices
