#pragma once

#include "volume/facts.hpp"

#include <string>
#include <vector>

/// Whether a volume may be touched. Pure.
namespace interposed::volume {

struct Finding {
    enum class Weight : std::uint8_t {
        note,    ///< to know
        warning, ///< to think about
        risk,    ///< refused, unless --force is given
        refusal, ///< it would do harm
    };
    Weight weight = Weight::note;
    std::string text;

    friend bool operator==(const Finding&, const Finding&) = default;
};

const char* word_of(Finding::Weight weight);

/// Everything that is to be said before it, the gravest first.
std::vector<Finding> check(const Facts& facts);

/// The server once it has attached something, for then it locks itself in memory.
std::vector<Finding> check(const Memory& server);

/// The nbd device beside the volume, once it is attached: what a filesystem above relies on must
/// not change, what only slows it down is noted.
std::vector<Finding> compare(const Queue& volume, const Queue& device, const std::string& name);

} // namespace interposed::volume
