#include "server/denials.hpp"

#include "config/quotes.hpp"
#include "server/log.hpp"

#include <algorithm>

namespace interposed::server {

namespace {

using config::in_quotes;

/// Of the groups or names of one client.
constexpr std::size_t most_shown = 8;

template <typename List, typename Text>
std::string list_of(const List& list, Text text) {
    std::string all;
    for (std::size_t i = 0; i < std::min(list.size(), most_shown); ++i)
        all += (i > 0 ? " " : "") + text(list[i]);
    return list.size() <= most_shown
               ? all
               : all + " and " + std::to_string(list.size() - most_shown) + " more";
}

std::string socket_identity(const Peer& peer) {
    if (peer.address)
        return "address " + config::to_string(*peer.address);
    if (!peer.unix_client)
        return "nothing that the kernel tells";
    const Credentials& client = *peer.unix_client;
    std::string text = "uid " + std::to_string(client.uid) + ", gid " + std::to_string(client.gid);
    if (!client.groups.empty())
        text += ", groups " + list_of(client.groups, [](gid_t each) {
                    return std::to_string(each);
                });
    return text;
}

std::string tls_identity(const TlsIdentity& client) {
    std::string text;
    if (!client.subject.empty())
        text += ", TLS subject " + in_quotes(client.subject);
    if (!client.common_name.empty())
        text += ", common name " + in_quotes(client.common_name);
    if (!client.alternative_names.empty())
        text += ", alternative names " + list_of(client.alternative_names, in_quotes);
    if (!client.psk.empty())
        text += ", PSK identity " + in_quotes(client.psk);
    return text.empty() ? ", a TLS identity without a name" : text;
}

std::string rules_text(const AccessList& rules) {
    const std::size_t count = rules.rules().size();
    return count == 1 ? "the rule" : "one of the " + std::to_string(count) + " rules";
}

std::string more_text(std::uint64_t left_out) {
    return left_out == 0 ? ""
                         : "; " + std::to_string(left_out) + " more like this were not told of";
}

} // namespace

std::string identity_of(const Peer& peer) {
    return socket_identity(peer) + (peer.tls ? tls_identity(*peer.tls) : ", no TLS identity");
}

void Denials::no_export(const Peer& peer, std::string_view name, const AccessList* rules) {
    const auto left_out = exports_.admit(LineLimiter::Clock::now());
    if (!left_out)
        return;
    const std::string why = rules == nullptr ? "there is none of that name: asked for by "
                                             : "denied: want what " + rules_text(*rules) +
                                                   " of its \"allow\" lets in, found ";
    log::warning(peer.name + ": export " + in_quotes(name) + ": " + why + identity_of(peer) +
                     more_text(*left_out),
                 {.client = peer.name, .export_name = name});
}

void Denials::no_entry(const Peer& peer, std::string_view listener, const AccessList& rules) {
    if (const auto left_out = entries_.admit(LineLimiter::Clock::now()))
        log::warning(peer.name + ": denied at " + std::string(listener) + ": want what " +
                         rules_text(rules) + " of its \"allow\" lets in, found " +
                         identity_of(peer) + more_text(*left_out),
                     {.client = peer.name});
}

} // namespace interposed::server
