#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::server {

/// Pre-shared keys by identity.
using PskTable = std::map<std::string, std::vector<unsigned char>, std::less<>>;

/// The longest identity and key that TLS libraries agree on: OpenSSL's PSK_MAX_IDENTITY_LEN and
/// PSK_MAX_PSK_LEN. Bytes.
inline constexpr std::size_t max_psk_identity = 256;
inline constexpr std::size_t max_psk = 256;
/// What is shorter can be guessed (RFC 9257, section 6). Bytes.
inline constexpr std::size_t min_psk = 16;

/// Reads lines of "identity:key", as psktool(1) of GnuTLS writes them: the key in hexadecimal, the
/// identity as it is, or in hexadecimal behind a '#'. Empty lines are skipped. Throws
/// std::runtime_error that names the line, and never a key.
PskTable parse_psk_file(std::string_view text);

} // namespace interposed::server
