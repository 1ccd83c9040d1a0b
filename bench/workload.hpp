#pragma once

#include "bench/plan.hpp"
#include "bench/wire.hpp"

#include <cstdint>

namespace interposed::bench {

/// The part of an export one connection works on, in whole blocks.
struct Share {
    std::uint64_t first_block = 0;
    std::uint64_t blocks = 0;
};

/// Chooses one request after the other. The same seed gives the same requests.
class Workload {
public:
    Workload(const Pattern& pattern, std::uint32_t block_bytes, Share share, std::uint64_t seed);
    Request next();

private:
    bool next_reads();
    std::uint64_t next_block();
    std::uint64_t random();

    Pattern pattern_;
    Share share_;
    std::uint32_t block_bytes_;
    std::uint64_t state_;
    std::uint64_t cursor_ = 0;
    std::uint64_t writes_unflushed_ = 0;
};

} // namespace interposed::bench
