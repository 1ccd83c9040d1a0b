#pragma once

#include "config/reader.hpp"

namespace interposed::config {

/// The value of an export's "qos".
Qos read_qos(Reader& reader, const Node& at);

} // namespace interposed::config
