#pragma once

#include "control/administration.hpp"
#include "server/report.hpp"

#include <nlohmann/json.hpp>
#include <string>

/// What there is, as the control protocol tells of it.
namespace interposed::control {

using Json = nlohmann::json;

Json qos_json(const config::Qos& qos);
Json export_json(const server::LiveExport& live, const Administration::Origin& origin);
Json disabled_json(const std::string& name);
/// What is in the inactive slot.
Json loaded_json(const server::Export& loaded);
Json session_json(const server::Connection& connection);
Json statistics_json(const server::ServerReport& report);

/// The table with all its segments; long. As text: a thread that may take its time writes it.
std::string table_text(const server::Export& of, const char* slot);

} // namespace interposed::control
