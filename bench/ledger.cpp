#include "bench/ledger.hpp"

#include "bench/clock.hpp"
#include "bench/text.hpp"

#include <array>
#include <cassert>
#include <string>

namespace interposed::bench {

namespace {

constexpr std::size_t sector_bytes = 512;
constexpr std::size_t words = sector_bytes / sizeof(std::uint64_t);
using Sector = std::array<std::uint64_t, words>;

/// One sector: where it belongs, the run and the generation it is of, and words that follow from
/// these.
Sector sector(std::uint64_t offset, std::uint64_t mark) {
    Sector made{offset, mark};
    std::uint64_t word = (offset + 1) * 0x9e3779b97f4a7c15 ^ mark * 0xbf58476d1ce4e5b9;
    for (std::size_t i = 2; i < words; ++i) {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        made[i] = word;
    }
    return made;
}

std::string mark_text(std::uint64_t mark) {
    return "generation " + std::to_string(mark & 0xffffffff) + " of run " + hex(mark >> 32);
}

[[noreturn]] void report(std::uint64_t offset, const Sector& wanted, const Sector& found) {
    std::size_t word = 0;
    while (word + 1 < words && wanted[word] == found[word])
        ++word;
    throw ProtocolError("verify: sector at " + std::to_string(offset) + ": want " +
                        mark_text(wanted[1]) + ", found, if it is one of ours at all, " +
                        mark_text(found[1]) + " for offset " + std::to_string(found[0]) +
                        "; word " + std::to_string(word) + " is " + hex(found[word]) +
                        " instead of " + hex(wanted[word]));
}

} // namespace

Ledger::Ledger(Share share, std::uint32_t block_bytes)
    : share_(share), block_bytes_(block_bytes), run_(now_ns() & 0xffffffff),
      generations_(share.blocks, 0), in_flight_(share.blocks, false) {
    assert(block_bytes % sector_bytes == 0);
}

std::size_t Ledger::index_of(std::uint64_t offset) const {
    const std::uint64_t block = offset / block_bytes_;
    assert(block >= share_.first_block && block - share_.first_block < share_.blocks);
    return block - share_.first_block;
}

std::uint64_t Ledger::mark_of(std::uint32_t generation) const {
    return run_ << 32 | generation;
}

std::uint64_t Ledger::claim(std::uint64_t offset) {
    std::size_t block = index_of(offset);
    for (std::uint64_t tried = 0; in_flight_[block]; ++tried) {
        assert(tried < share_.blocks);
        block = (block + 1) % share_.blocks;
    }
    in_flight_[block] = true;
    return (share_.first_block + block) * block_bytes_;
}

void Ledger::stamp(std::span<std::byte> payload, std::uint64_t offset) const {
    const std::uint64_t mark = mark_of(generations_[index_of(offset)] + 1);
    for (std::size_t at = 0; at < payload.size(); at += sector_bytes) {
        const Sector made = sector(offset + at, mark);
        std::memcpy(payload.data() + at, made.data(), sector_bytes);
    }
}

void Ledger::written(std::uint64_t offset) {
    ++generations_[index_of(offset)];
}

void Ledger::check(std::span<const std::byte> payload, std::uint64_t offset) const {
    const std::uint64_t mark = mark_of(generations_[index_of(offset)]);
    for (std::size_t at = 0; at < payload.size(); at += sector_bytes) {
        const Sector wanted = sector(offset + at, mark);
        Sector found;
        std::memcpy(found.data(), payload.data() + at, sector_bytes);
        if (found != wanted)
            report(offset + at, wanted, found);
    }
}

void Ledger::release(std::uint64_t offset) {
    in_flight_[index_of(offset)] = false;
}

} // namespace interposed::bench
