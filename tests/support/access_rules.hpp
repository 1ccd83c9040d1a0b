#pragma once

#include "server/access.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace interposed::tests {

/// The list that an export has whose "allow" is [RULES].
inline server::AccessPointer access_list(const std::string& rules) {
    const auto one = config::parse_export(
        R"({"name": "a", "dm_table": "0 8 linear /x 0", "allow": [)" + rules + "]}", "f", "/");
    std::vector<config::Fault> faults;
    auto list = server::resolve_access(one.allow, faults);
    REQUIRE(faults.empty());
    return list;
}

inline server::Peer peer_at(const std::string& address) {
    return {.name = address, .client = address, .address = config::parse_range(address)};
}

} // namespace interposed::tests
