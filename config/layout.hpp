#pragma once

#include "config/config.hpp"

#include <span>

namespace interposed::config {

/// Where one segment lies in its export, as far as it is known yet.
struct Row {
    std::optional<std::uint64_t> start;
    std::optional<std::uint64_t> length;
    const Place* place = nullptr; ///< for messages
    bool faulty = false;          ///< what is absent has been reported already
};

/// Fills in what follows from the other rows, and checks that they begin at 0 and join without
/// gap, overlap or an empty one. A length that is absent in the last row stays absent.
void lay_out(std::span<Row> rows, std::vector<Fault>& faults);

} // namespace interposed::config
