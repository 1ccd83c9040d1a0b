#include "config/distinguished_name.hpp"

#include "config/ascii.hpp"
#include "config/quotes.hpp"
#include "config/text.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace interposed::config {
namespace {

/// Of one number the first name is the one that is written. From RFC 4519, RFC 2985, X.520 and
/// what CAs and the tools that print subjects use.
constexpr std::array<std::pair<std::string_view, std::string_view>, 48> known_types = {{
    {"CN", "2.5.4.3"},
    {"commonName", "2.5.4.3"},
    {"O", "2.5.4.10"},
    {"organizationName", "2.5.4.10"},
    {"OU", "2.5.4.11"},
    {"organizationalUnitName", "2.5.4.11"},
    {"C", "2.5.4.6"},
    {"countryName", "2.5.4.6"},
    {"ST", "2.5.4.8"},
    {"S", "2.5.4.8"},
    {"stateOrProvinceName", "2.5.4.8"},
    {"L", "2.5.4.7"},
    {"localityName", "2.5.4.7"},
    {"STREET", "2.5.4.9"},
    {"streetAddress", "2.5.4.9"},
    {"postalCode", "2.5.4.17"},
    {"DC", "0.9.2342.19200300.100.1.25"},
    {"domainComponent", "0.9.2342.19200300.100.1.25"},
    {"UID", "0.9.2342.19200300.100.1.1"},
    {"userId", "0.9.2342.19200300.100.1.1"},
    {"mail", "0.9.2342.19200300.100.1.3"},
    {"rfc822Mailbox", "0.9.2342.19200300.100.1.3"},
    {"emailAddress", "1.2.840.113549.1.9.1"},
    {"EMAIL", "1.2.840.113549.1.9.1"},
    {"E", "1.2.840.113549.1.9.1"},
    {"unstructuredName", "1.2.840.113549.1.9.2"},
    {"unstructuredAddress", "1.2.840.113549.1.9.8"},
    {"serialNumber", "2.5.4.5"},
    {"SN", "2.5.4.4"},
    {"surname", "2.5.4.4"},
    {"GN", "2.5.4.42"},
    {"givenName", "2.5.4.42"},
    {"initials", "2.5.4.43"},
    {"generationQualifier", "2.5.4.44"},
    {"title", "2.5.4.12"},
    {"T", "2.5.4.12"},
    {"description", "2.5.4.13"},
    {"businessCategory", "2.5.4.15"},
    {"telephoneNumber", "2.5.4.20"},
    {"name", "2.5.4.41"},
    {"x500UniqueIdentifier", "2.5.4.45"},
    {"dnQualifier", "2.5.4.46"},
    {"pseudonym", "2.5.4.65"},
    {"role", "2.5.4.72"},
    {"organizationIdentifier", "2.5.4.97"},
    {"jurisdictionL", "1.3.6.1.4.1.311.60.2.1.1"},
    {"jurisdictionST", "1.3.6.1.4.1.311.60.2.1.2"},
    {"jurisdictionC", "1.3.6.1.4.1.311.60.2.1.3"},
}};

constexpr std::size_t longest_name = 4096;              // bytes, as it is written
constexpr std::size_t longest_text = 4 * longest_name; // with needless escapes

constexpr std::string_view specials = "\"+,;<>\\"; // never stand for themselves in a value

std::optional<unsigned> hex_digit(char c) {
    if (is_digit(c))
        return static_cast<unsigned>(c - '0');
    const char low = lower_case(c);
    return 'a' <= low && low <= 'f' ? std::optional(static_cast<unsigned>(low - 'a' + 10))
                                    : std::nullopt;
}

/// "2.5.4.3": at least two numbers, without leading zeros.
bool is_number(std::string_view type) {
    std::size_t arcs = 0;
    for (;;) {
        const std::size_t end = std::min(type.find('.'), type.size());
        const std::string_view arc = type.substr(0, end);
        if (arc.empty() || !std::all_of(arc.begin(), arc.end(), is_digit) ||
            (arc.size() > 1 && arc.front() == '0'))
            return false;
        ++arcs;
        if (end == type.size())
            return arcs > 1;
        type.remove_prefix(end + 1);
    }
}

bool is_name(std::string_view type) {
    return is_letter(type.front()) && std::all_of(type.begin(), type.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '-';
           });
}

/// One way to write the type, of all there are.
std::string canonical_type(std::string_view written) {
    const auto same = [](char a, char b) { return lower_case(a) == lower_case(b); };
    const auto known = std::find_if(known_types.begin(), known_types.end(), [&](const auto& each) {
        return std::equal(written.begin(), written.end(), each.first.begin(), each.first.end(),
                          same);
    });
    return known == known_types.end() ? lower_case(written) : std::string(known->second);
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    DistinguishedName parse() {
        DistinguishedName name;
        do {
            name.relatives.push_back(relative());
        } while (take(','));
        return name;
    }

private:
    [[noreturn]] void refuse(const std::string& why) const {
        throw std::invalid_argument("want a distinguished name such as \"CN=backup,O=Example\", "
                                    "got " +
                                    in_quotes(text_) + ": " + why);
    }

    [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
    [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

    bool take(char c) {
        if (at_end() || text_[at_] != c)
            return false;
        ++at_;
        return true;
    }

    void skip_blanks() {
        while (take(' ')) {
        }
    }

    DistinguishedName::Relative relative() {
        DistinguishedName::Relative relative;
        do {
            relative.push_back(attribute());
        } while (take('+'));
        std::sort(relative.begin(), relative.end());
        return relative;
    }

    DistinguishedName::Attribute attribute() {
        DistinguishedName::Attribute attribute;
        attribute.type = type();
        skip_blanks();
        if (take('#')) {
            attribute.encoded = true;
            attribute.value = encoded_value();
        } else {
            attribute.value = value();
        }
        if (!at_end() && text_[at_] != ',' && text_[at_] != '+')
            refuse("want a comma or a plus sign before " + in_quotes(rest()));
        return attribute;
    }

    std::string type() {
        skip_blanks();
        const std::size_t length = std::min(rest().find_first_of("=,+"), rest().size());
        std::string_view written = rest().substr(0, length);
        while (written.ends_with(' '))
            written.remove_suffix(1);
        if (written.empty())
            refuse("want a type such as \"CN\" before " + in_quotes(rest()));
        if (!is_name(written) && !is_number(written))
            refuse("want a type such as \"CN\" or \"2.5.4.3\", got " + in_quotes(written));
        at_ += length;
        if (!take('='))
            refuse("want an equals sign behind " + in_quotes(written));
        return canonical_type(written);
    }

    std::string encoded_value() {
        std::string digits;
        while (!at_end() && hex_digit(text_[at_]))
            digits += lower_case(text_[at_++]);
        if (digits.empty() || digits.size() % 2 != 0)
            refuse("want pairs of hexadecimal digits behind \"#\"");
        skip_blanks();
        return digits;
    }

    /// Up to a separator; blanks at its end belong to it only if they are escaped.
    std::string value() {
        std::string value;
        std::size_t kept = 0;
        while (!at_end() && text_[at_] != ',' && text_[at_] != '+') {
            const char c = text_[at_++];
            const bool is_blank = c == ' ';
            if (c == '\\')
                value += escaped_character();
            else if (specials.find(c) != std::string_view::npos)
                refuse("want a backslash before " + in_quotes(std::string_view(&c, 1)));
            else
                value += c;
            if (!is_blank)
                kept = value.size();
        }
        value.resize(kept);
        check(value);
        return value;
    }

    char escaped_character() {
        const std::string_view behind = rest().substr(0, 2);
        if (!behind.empty() && (specials.find(behind[0]) != std::string_view::npos ||
                                behind[0] == ' ' || behind[0] == '#' || behind[0] == '=')) {
            ++at_;
            return behind[0];
        }
        const auto high = behind.empty() ? std::nullopt : hex_digit(behind[0]);
        const auto low = behind.size() < 2 ? std::nullopt : hex_digit(behind[1]);
        if (!high || !low)
            refuse("want a special character or two hexadecimal digits behind the backslash");
        at_ += 2;
        return static_cast<char>(*high * 16 + *low);
    }

    void check(std::string_view value) const {
        for (std::size_t length = 0; !value.empty(); value.remove_prefix(length)) {
            length = character_length(value);
            if (length == 0 || value.front() == '\0')
                refuse("want values in UTF-8, without NUL");
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

std::string_view name_of(std::string_view type) {
    const auto known = std::find_if(known_types.begin(), known_types.end(),
                                    [type](const auto& each) { return each.second == type; });
    return known == known_types.end() ? type : known->first;
}

std::string text_of(const DistinguishedName::Attribute& attribute) {
    std::string text = std::string(name_of(attribute.type)) + "=";
    if (attribute.encoded)
        return text + "#" + attribute.value;
    const std::string& value = attribute.value;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        const bool is_outer_blank = c == ' ' && (i == 0 || i + 1 == value.size());
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
            text += "\\" + hex_byte(c);
            continue;
        }
        if (is_outer_blank || (c == '#' && i == 0) || specials.find(c) != std::string_view::npos)
            text += '\\';
        text += c;
    }
    return text;
}

constexpr auto type_names = [] {
    std::array<std::string_view, known_types.size()> names;
    std::transform(known_types.begin(), known_types.end(), names.begin(),
                   [](const auto& each) { return each.first; });
    return names;
}();

} // namespace

DistinguishedName parse_distinguished_name(std::string_view text) {
    std::size_t size = text.size();
    if (size <= longest_text) {
        DistinguishedName name = Parser(text).parse();
        size = to_string(name).size();
        if (size <= longest_name)
            return name;
    }
    throw std::invalid_argument("want a distinguished name of at most " +
                                std::to_string(longest_name) + " bytes, got " +
                                std::to_string(size));
}

std::string to_string(const DistinguishedName& name) {
    std::string text;
    for (const DistinguishedName::Relative& relative : name.relatives) {
        for (std::size_t i = 0; i < relative.size(); ++i)
            text.append(i > 0         ? "+"
                        : text.empty() ? ""
                                       : ",")
                .append(text_of(relative[i]));
    }
    return text;
}

std::optional<std::string_view> unknown_type(const DistinguishedName& name) {
    for (const DistinguishedName::Relative& relative : name.relatives)
        for (const DistinguishedName::Attribute& attribute : relative)
            if (!is_number(attribute.type))
                return attribute.type;
    return std::nullopt;
}

std::span<const std::string_view> attribute_type_names() {
    return type_names;
}

} // namespace interposed::config
