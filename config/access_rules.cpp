#include "config/access_rules.hpp"

#include "config/listeners.hpp"
#include "config/nearest.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace interposed::config {
namespace {

constexpr std::string_view any_unix_client = "unix";

/// A rule of which nothing but that is said.
AccessRule by_address(std::string_view text) {
    AccessRule rule;
    if (text == any_unix_client)
        rule.unix_socket = true;
    else
        rule.address = parse_range(text);
    return rule;
}

AccessRule read_address(Reader& reader, const std::optional<Node>& at, std::string_view wanted) {
    const std::string* const text = at ? reader.text(*at, wanted) : nullptr;
    if (text == nullptr)
        return {};
    return reader.attempt(*at, [text] { return by_address(*text); }).value_or(AccessRule{});
}

std::optional<Account> read_member_account(Reader& reader, const Fields& fields,
                                           std::string_view key) {
    const auto at = fields.find(key);
    auto name = read_account(reader, at);
    return name ? std::optional(Account{std::move(*name), at->place()}) : std::nullopt;
}

/// An identity that is compared as it is.
std::optional<std::string> read_exact(Reader& reader, const Fields& fields, std::string_view key) {
    const auto at = fields.find(key);
    const std::string* const text = at ? reader.text(*at, "a name in quotes") : nullptr;
    if (text == nullptr)
        return std::nullopt;
    if (text->empty() || text->find('\0') != std::string::npos) {
        reader.fault(*at, "want a name that is not empty, without NUL, got " + in_quotes(*text));
        return std::nullopt;
    }
    return *text;
}

std::optional<DistinguishedName> read_subject(Reader& reader, const Fields& fields) {
    const auto at = fields.find("tls_subject");
    const std::string* const text =
        at ? reader.text(*at, "a distinguished name such as \"CN=backup,O=Example\"") : nullptr;
    if (text == nullptr)
        return std::nullopt;
    auto name = reader.attempt(*at, [text] { return parse_distinguished_name(*text); });
    if (const auto type = name ? unknown_type(*name) : std::nullopt) {
        const std::string_view meant = nearest(*type, attribute_type_names());
        reader.fault(*at, "want types that are known, or their numbers, got " + in_quotes(*type) +
                              (meant.empty() ? "" : "; did you mean " + in_quotes(meant) + "?"));
    }
    return name;
}

std::optional<AlternativeName> read_alternative_name(Reader& reader, const Fields& fields) {
    const auto at = fields.find("tls_san");
    const std::string* const text =
        at ? reader.text(*at, "a name such as \"dns:backup.example.com\"") : nullptr;
    if (text == nullptr)
        return std::nullopt;
    return reader.attempt(*at, [text] { return parse_alternative_name(*text); });
}

void read_access(const Fields& fields, AccessRule& into) {
    constexpr std::array<std::string_view, 2> words = {"read_only", "read_write"};
    if (const auto word = fields.word("access", words))
        into.access = *word == 0 ? Access::read_only : Access::read_write;
}

/// No client is two of these at once: such a rule would never let anybody in.
void find_contradictions(Reader& reader, const Fields& fields, const AccessRule& rule) {
    for (const std::string_view key : {"user", "group"})
        if (const auto at = fields.find(key); at && rule.address)
            reader.fault(*at, "want no " + in_quotes(key) + " beside an address: clients of Unix "
                                                            "sockets have none");
    for (const std::string_view key : {"tls_subject", "tls_common_name", "tls_san"})
        if (const auto at = fields.find(key); at && fields.find("psk"))
            reader.fault(*at, "want no " + in_quotes(key) + " beside \"psk\": who has a key that "
                                                            "was agreed on shows no certificate");
}

/// Of a listener's clients less is known.
void find_misplaced(Reader& reader, const Fields& fields, const AccessRule& rule, RulesOf of) {
    if (of == RulesOf::an_export)
        return;
    for (const std::string_view key : {"tls_subject", "tls_common_name", "tls_san", "psk"})
        if (const auto at = fields.find(key))
            reader.fault(*at, in_quotes(key) + " is not known yet when a client is accepted; it "
                                               "belongs in the \"allow\" of exports");
    if (of == RulesOf::a_unix_listener)
        return;
    for (const std::string_view key : {"user", "group"})
        if (const auto at = fields.find(key); at && !rule.address)
            reader.fault(*at, in_quotes(key) + " belongs to a unix socket, not to a TCP listener");
}

void check_family(Reader& reader, const Node& at, const AccessRule& rule, RulesOf of) {
    if (rule.address && of == RulesOf::a_unix_listener)
        reader.refuse(at, "users and groups, for clients of a unix socket have no address");
    if (rule.unix_socket && of == RulesOf::a_tcp_listener)
        reader.refuse(at, "addresses, for nobody comes to a TCP listener through a unix socket");
}

AccessRule read_rule_object(Reader& reader, const Node& at, const Object& object, RulesOf of) {
    const Fields fields(reader, at, object, rule_level);
    if (object.empty())
        reader.fault(at, "want at least one member in a rule, got none; {\"access\": "
                         "\"read_write\"} is for everybody");
    const auto address = fields.find("address");
    AccessRule rule = read_address(reader, address, "an address or a range in quotes");
    rule.user = read_member_account(reader, fields, "user");
    rule.group = read_member_account(reader, fields, "group");
    rule.tls_subject = read_subject(reader, fields);
    rule.tls_common_name = read_exact(reader, fields, "tls_common_name");
    rule.tls_san = read_alternative_name(reader, fields);
    rule.psk = read_exact(reader, fields, "psk");
    read_access(fields, rule);
    find_contradictions(reader, fields, rule);
    find_misplaced(reader, fields, rule, of);
    if (address)
        check_family(reader, *address, rule, of);
    return rule;
}

AccessRule read_rule(Reader& reader, const Node& at, RulesOf of) {
    AccessRule rule;
    if (const auto* const object = std::get_if<Object>(&at.value.data)) {
        rule = read_rule_object(reader, at, *object, of);
    } else {
        rule = read_address(reader, at, "an address or a range in quotes, or an object");
        check_family(reader, at, rule, of);
    }
    rule.place = at.place();
    return rule;
}

template <typename Condition>
bool covers(const std::optional<Condition>& wide, const std::optional<Condition>& narrow) {
    return !wide || wide == narrow;
}

bool covers(const AlternativeName& wide, const AlternativeName& narrow) {
    return wide == narrow || (!narrow.any_label && matches(wide, to_string(narrow)));
}

/// Whether who is let in by the narrow rule is let in by the wide one, as far as the two tell.
bool covers(const AccessRule& wide, const AccessRule& narrow) {
    const bool addresses =
        !wide.address || (narrow.address && contains(*wide.address, *narrow.address));
    const bool sockets = !wide.unix_socket || narrow.unix_socket || narrow.user || narrow.group;
    const bool names = !wide.tls_san || (narrow.tls_san && covers(*wide.tls_san, *narrow.tls_san));
    return addresses && sockets && names && covers(wide.user, narrow.user) &&
           covers(wide.group, narrow.group) && covers(wide.tls_subject, narrow.tls_subject) &&
           covers(wide.tls_common_name, narrow.tls_common_name) && covers(wide.psk, narrow.psk);
}

/// Whoever writes that some may only read, and lets them write in another rule, is mistaken.
void find_idle(Reader& reader, const std::vector<AccessRule>& rules) {
    for (const AccessRule& rule : rules) {
        if (rule.access != Access::read_only)
            continue;
        const auto wider = std::find_if(rules.begin(), rules.end(), [&rule](const auto& other) {
            return other.access == Access::read_write && covers(other, rule);
        });
        if (wider != rules.end())
            reader.fault(rule.place, "want a rule that makes a difference, got a read-only one "
                                     "whose clients may write by " +
                                         wider->place.path +
                                         ": of all rules that match, the most generous counts");
    }
}

} // namespace

std::optional<std::vector<AccessRule>> read_rules(Reader& reader, const Fields& fields,
                                                  RulesOf of) {
    const auto at = fields.find("allow");
    const Array* const array = at ? reader.array(*at, "an array of rules") : nullptr;
    if (array == nullptr)
        return std::nullopt;
    if (array->empty())
        reader.fault(*at, "want at least one rule, got an empty array; without \"allow\" "
                          "everybody is let in");
    const std::size_t faults = reader.faults().size();
    std::vector<AccessRule> rules;
    for (std::size_t i = 0; i < array->size(); ++i)
        rules.push_back(read_rule(reader, at->element(i), of));
    if (reader.faults().size() == faults) // else what could not be read is taken to be absent
        find_idle(reader, rules);
    return rules;
}

} // namespace interposed::config
