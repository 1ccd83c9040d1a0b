#pragma once

#include "devices/operation.hpp"

#include <cstdint>
#include <vector>

/// Runs of a block status, as clients can use them. Pure.
namespace interposed::server {

using StatusRuns = std::vector<devices::StatusRun>;

/// Clients round what they are told to sectors, inward or not: so runs meet at multiples of this
/// at least. Bytes.
inline constexpr std::uint32_t status_sector = 512;

/// Makes runs that begin at `offset` meet only at multiples of `block`: a block that several of
/// them share has only the flags that are true of all of it. What is left of the last block is cut
/// off where the runs end before `end`, unless nothing else is there. Neighbours with equal flags
/// become one. Flags that are not in `kept` are left out.
StatusRuns whole_block_runs(const StatusRuns& runs, std::uint64_t offset, std::uint64_t end,
                            std::uint32_t block, std::uint32_t kept);

} // namespace interposed::server
