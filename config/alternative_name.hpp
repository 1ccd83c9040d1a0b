#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace interposed::config {

/// A subject alternative name that a certificate is wanted to have.
struct AlternativeName {
    enum class Kind : std::uint8_t { dns, email, uri, ip };

    Kind kind = Kind::dns;
    /// Host names, also those of mail addresses, in lower case; IP addresses in one spelling.
    std::string name;
    bool any_label = false; ///< of a host name: one more label stands before it, whichever it is

    friend bool operator==(const AlternativeName&, const AlternativeName&) = default;
};

/// "dns:backup.example.com", "dns:*.example.com", "email:ops@example.com", "uri:spiffe://a/b",
/// "ip:192.0.2.1". Throws std::invalid_argument.
AlternativeName parse_alternative_name(std::string_view text);

/// As it is read; parse_alternative_name() makes it equal again.
std::string to_string(const AlternativeName& name);

/// Whether a certificate's name, in the same words, is the one that is meant. A wildcard in a
/// certificate is nobody's name.
bool matches(const AlternativeName& wanted, std::string_view presented);

} // namespace interposed::config
