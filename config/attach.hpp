#pragma once

#include "config/reader.hpp"

namespace interposed::config {

/// The value of an export's "attach".
Attach read_attach(Reader& reader, const Node& at);

/// The value of an export's "interposed".
Interposition read_interposition(Reader& reader, const Node& at);

/// Reports exports that are to be the same device, or known by the same identifier.
void check_attachments(Reader& reader, const std::vector<Export>& exports);

} // namespace interposed::config
