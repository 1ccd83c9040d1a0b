#pragma once

#include "tests/support/bytes.hpp"

#include <string_view>

namespace interposed::fuzz {

using tests::wire;
using tests::Wire;

inline Wire option(std::uint32_t number, const tests::Bytes& data = {}) {
    return wire()
        .text("IHAVEOPT")
        .u32(number)
        .u32(static_cast<std::uint32_t>(data.size()))
        .raw(data);
}

inline Wire go(std::string_view name) {
    return option(7, wire().u32(static_cast<std::uint32_t>(name.size())).text(name).u16(0));
}

inline Wire with_allocation(std::string_view name) {
    return option(10, wire()
                          .u32(static_cast<std::uint32_t>(name.size()))
                          .text(name)
                          .u32(1)
                          .u32(15)
                          .text("base:allocation"));
}

inline Wire with_all_contexts(std::string_view name) {
    return option(10, wire()
                          .u32(static_cast<std::uint32_t>(name.size()))
                          .text(name)
                          .u32(2)
                          .u32(15)
                          .text("base:allocation")
                          .u32(21)
                          .text("qemu:allocation-depth"));
}

/// What a client says until it has an export: an input need not find that out again each time.
/// New ways to open a connection follow these, so that old inputs keep their meaning.
inline tests::Bytes opening(unsigned which) {
    const auto flags = wire().u32(3);
    const auto structured = wire().u32(3).raw(option(8));
    const auto extended = wire().u32(3).raw(option(11));
    switch (which) {
    case 0:
        return {};
    case 1:
        return wire().u32(1).raw(option(1, wire().text("disk")));
    case 2:
        return Wire(flags).raw(option(1, wire().text("ro")));
    case 3:
        return Wire(flags).raw(go("large"));
    case 4:
        return Wire(structured).raw(with_allocation("disk")).raw(go("disk"));
    case 5:
        return Wire(structured).raw(go("large"));
    case 6:
        return Wire(structured).raw(with_allocation("blocks")).raw(go("blocks"));
    case 7:
        return Wire(extended).raw(with_all_contexts("disk")).raw(go("disk"));
    default:
        return Wire(extended).raw(with_all_contexts("large")).raw(go("large"));
    }
}

} // namespace interposed::fuzz
