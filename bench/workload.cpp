#include "bench/workload.hpp"

#include <cassert>

namespace interposed::bench {

Workload::Workload(const Pattern& pattern, std::uint32_t block_bytes, Share share,
                   std::uint64_t seed)
    : pattern_(pattern), share_(share), block_bytes_(block_bytes), state_(seed) {
    assert(share.blocks > 0);
}

Request Workload::next() {
    if (pattern_.flush_every > 0 && writes_unflushed_ == pattern_.flush_every) {
        writes_unflushed_ = 0;
        return {.command = Command::flush};
    }
    Request request{.offset = 0, .length = block_bytes_};
    if (!next_reads()) {
        ++writes_unflushed_;
        request.command = Command::write;
        if (pattern_.fua_percent > 0 && random() % 100 < pattern_.fua_percent)
            request.flags = wire::command_flag_fua;
    }
    request.offset = next_block() * block_bytes_;
    return request;
}

bool Workload::next_reads() {
    if (pattern_.read_percent == 0 || pattern_.read_percent == 100)
        return pattern_.read_percent == 100;
    return random() % 100 < pattern_.read_percent;
}

std::uint64_t Workload::next_block() {
    if (pattern_.random)
        return share_.first_block + random() % share_.blocks;
    if (cursor_ == share_.blocks)
        cursor_ = 0;
    return share_.first_block + cursor_++;
}

// splitmix64: one addition and a few shifts, and any seed will do.
std::uint64_t Workload::random() {
    std::uint64_t mixed = state_ += 0x9e3779b97f4a7c15;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}

} // namespace interposed::bench
