#pragma once

#include <compare>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::config {

/// A distinguished name of X.501, such as the subject of a certificate, in the one form in which
/// two that mean the same are equal: types are numbers where they are known by name, values are
/// without escapes, and the attributes of one relative name, which have no order, are sorted.
struct DistinguishedName {
    struct Attribute {
        std::string type; ///< "2.5.4.3"; a name that is not known stands in lower case
        std::string value;
        /// The value is the BER encoding, in hexadecimal, of one that is no string.
        bool encoded = false;

        friend auto operator<=>(const Attribute&, const Attribute&) = default;
    };
    using Relative = std::vector<Attribute>; ///< never empty

    std::vector<Relative> relatives; ///< the most specific first; never empty

    friend bool operator==(const DistinguishedName&, const DistinguishedName&) = default;
};

/// Reads the string form of RFC 4514, "CN=backup,O=Example". Blanks beside commas, plus and equals
/// signs do not count. Throws std::invalid_argument, also for one that to_string()
/// would write in more than 4096 bytes.
DistinguishedName parse_distinguished_name(std::string_view text);

/// The string form, with known types by their names.
std::string to_string(const DistinguishedName& name);

/// The first type that is neither a number nor a name that is known.
std::optional<std::string_view> unknown_type(const DistinguishedName& name);

/// The names of types that are known.
std::span<const std::string_view> attribute_type_names();

} // namespace interposed::config
