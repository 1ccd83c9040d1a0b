#include "control/told_text.hpp"

#include <nlohmann/json.hpp>

namespace interposed::control {

nlohmann::json to_json(const attach::KernelExport& told) {
    return {{"identifier", told.identifier},
            {"index", told.index},
            {"size", told.size},
            {"block_size", told.block_size},
            {"flags", told.flags},
            {"timeout_s", told.timeout_s},
            {"dead_conn_timeout_s", told.dead_conn_timeout_s}};
}

attach::KernelExport told_in(const nlohmann::json& json) {
    return {.index = json.at("index"),
            .size = json.at("size"),
            .block_size = json.at("block_size"),
            .flags = json.at("flags"),
            .timeout_s = json.at("timeout_s"),
            .dead_conn_timeout_s = json.at("dead_conn_timeout_s"),
            .identifier = json.at("identifier")};
}

} // namespace interposed::control
