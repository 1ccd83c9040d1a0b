#pragma once

#include "bench/workload.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace interposed::bench {

/// Knows what every block of a connection's share must hold: its own offset, the run that wrote
/// it, and how often that run has written it. A block has one request in flight at most, for what a
/// read that overlaps a write must return is not defined; so each read has exactly one right
/// answer.
class Ledger {
public:
    Ledger(Share share, std::uint32_t block_bytes);

    /// The offset of a block nothing is in flight for, the wanted one or the next behind it.
    /// There must be one: a share has more blocks than a connection has requests.
    std::uint64_t claim(std::uint64_t offset);

    /// Fills a payload with what the block will hold after this write.
    void stamp(std::span<std::byte> payload, std::uint64_t offset) const;
    void written(std::uint64_t offset);

    /// Compares a payload with what the block holds. Throws ProtocolError.
    void check(std::span<const std::byte> payload, std::uint64_t offset) const;
    void release(std::uint64_t offset);

private:
    [[nodiscard]] std::size_t index_of(std::uint64_t offset) const;
    [[nodiscard]] std::uint64_t mark_of(std::uint32_t generation) const;

    Share share_;
    std::uint32_t block_bytes_;
    std::uint64_t run_; ///< so that what an earlier run left is not taken for this one's
    std::vector<std::uint32_t> generations_;
    std::vector<bool> in_flight_;
};

} // namespace interposed::bench
