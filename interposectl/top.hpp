#pragma once

#include "interposectl/client.hpp"
#include "interposectl/rates.hpp"
#include "interposectl/requests.hpp"

#include <string>

namespace interposed::ctl {

/// One block: a line about the server, and one for each export, and device if wanted. Of more than
/// `most_rows` the busiest.
std::string top_text(const Interval& interval, bool with_devices, std::size_t most_rows);

/// Looks, waits and prints until it has done so as often as wanted. Clears a terminal for each
/// block; elsewhere, and as JSON, they follow one another.
void watch(Client& client, const Watch& watch, bool as_json);

} // namespace interposed::ctl
