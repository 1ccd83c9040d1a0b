#pragma once

#include "interposectl/arguments.hpp"
#include "interposectl/json.hpp"

#include <string>

/// The results of the server as text for people.
namespace interposed::ctl {

std::string exports_table(const Json& result);   ///< of export.list
std::string exports_text(const Json& result);    ///< of export.status
std::string sessions_table(const Json& result);  ///< of session.list
std::string attached_table(const Json& result);  ///< of attachment.list
std::string statistics_text(const Json& result); ///< of statistics

/// The table as `load` takes it, one segment a line.
std::string table_json_text(const Json& result);
/// Throws Refused where the table cannot be said in dmsetup's words.
std::string table_dm_text(const Json& result);

/// "1000 requests/s (burst 100), 100 MiB/s"; also for each client.
std::string qos_text(const Fields& qos);

/// What has been done, in a line, for the verbs that change something.
std::string done_text(const Arguments& arguments, const Json& result);

} // namespace interposed::ctl
