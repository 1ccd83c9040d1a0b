#pragma once

#include "attach/nbd_netlink.hpp"

#include <nlohmann/json_fwd.hpp>

/// What the kernel was told of an attachment, for the next server.
namespace interposed::control {

nlohmann::json to_json(const attach::KernelExport& told);
/// Throws nlohmann::json::exception.
attach::KernelExport told_in(const nlohmann::json& json);

} // namespace interposed::control
