#include "server/access.hpp"

#include "config/quotes.hpp"
#include "server/accounts.hpp"

#include <algorithm>
#include <stdexcept>

namespace interposed::server {

namespace {

using config::Access;
using config::AccessRule;
using config::DistinguishedName;

/// A client that is being held against rules. What is the same for all of them is found out once.
class Candidate {
public:
    explicit Candidate(const Peer& peer) : peer_(peer) {}

    [[nodiscard]] bool matches(const AccessList::Rule& rule) {
        return matches_socket(rule) && (!wants_tls(rule.source) || matches_tls(rule.source));
    }

private:
    [[nodiscard]] bool matches_socket(const AccessList::Rule& rule) const {
        const AccessRule& source = rule.source;
        if (source.address && !(peer_.address && contains(*source.address, *peer_.address)))
            return false;
        const bool wants_unix = source.unix_socket || source.user || source.group;
        if (!wants_unix)
            return true;
        const auto& client = peer_.unix_client;
        return client && (!source.user || rule.user == client->uid) &&
               (!source.group || (rule.group && client->in_group(*rule.group)));
    }

    [[nodiscard]] static bool wants_tls(const AccessRule& rule) {
        return rule.tls_subject || rule.tls_common_name || rule.tls_san || rule.psk;
    }

    [[nodiscard]] bool matches_tls(const AccessRule& rule) {
        if (!peer_.tls)
            return false;
        const TlsIdentity& client = *peer_.tls;
        const auto has_name = [&rule](const std::string& name) {
            return config::matches(*rule.tls_san, name);
        };
        // What a rule wants is never empty, and what a client has not shown is.
        return (!rule.tls_common_name || *rule.tls_common_name == client.common_name) &&
               (!rule.psk || *rule.psk == client.psk) &&
               (!rule.tls_san || std::any_of(client.alternative_names.begin(),
                                             client.alternative_names.end(), has_name)) &&
               (!rule.tls_subject || *rule.tls_subject == subject());
    }

    /// nullopt: there is none, or none that can be read, which no rule can mean.
    [[nodiscard]] const std::optional<DistinguishedName>& subject() {
        if (!subject_known_ && !peer_.tls->subject.empty()) {
            try {
                subject_ = config::parse_distinguished_name(peer_.tls->subject);
            } catch (const std::invalid_argument&) {
                subject_.reset();
            }
        }
        subject_known_ = true;
        return subject_;
    }

    const Peer& peer_;
    bool subject_known_ = false;
    std::optional<DistinguishedName> subject_;
};

template <typename Id>
std::optional<Id> known(const std::optional<config::Account>& account, const char* what,
                        std::optional<Id> (*find)(const std::string&),
                        std::vector<config::Fault>& faults) {
    if (!account)
        return std::nullopt;
    const auto id = find(account->name);
    if (!id)
        faults.push_back({account->place, std::string("want a ") + what +
                                              " that this system knows, got " +
                                              config::in_quotes(account->name)});
    return id;
}

} // namespace

Access AccessList::of(const Peer& peer) const {
    Candidate candidate(peer);
    Access most = Access::none;
    for (const Rule& rule : rules_) {
        if (rule.source.access > most && candidate.matches(rule))
            most = rule.source.access;
        if (most == Access::read_write)
            break;
    }
    return most;
}

bool same_access(const AccessPointer& a, const AccessPointer& b) {
    return a && b ? *a == *b : a == b;
}

AccessPointer resolve_access(const std::optional<std::vector<AccessRule>>& rules,
                             std::vector<config::Fault>& faults) {
    if (!rules)
        return nullptr;
    std::vector<AccessList::Rule> resolved;
    for (const AccessRule& rule : *rules)
        resolved.push_back({.source = rule,
                            .user = known(rule.user, "user", find_user, faults),
                            .group = known(rule.group, "group", find_group, faults)});
    return std::make_shared<AccessList>(std::move(resolved));
}

} // namespace interposed::server
