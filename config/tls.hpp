#pragma once

#include "config/reader.hpp"

#include <string>

namespace interposed::config {

/// The value of "tls". `folder` is for relative paths.
std::optional<Tls> read_tls(Reader& reader, const Node& at, const std::string& folder);

/// The value of a listener's or an export's "tls".
std::optional<TlsMode> read_tls_mode(Reader& reader, const Node& at);
bool read_requires_tls(Reader& reader, const Node& at);

/// For a file without "tls": nobody in it may ask for TLS.
void check_tls(Reader& reader, const Configuration& configuration);

} // namespace interposed::config
