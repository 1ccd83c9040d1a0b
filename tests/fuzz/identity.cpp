#include "config/distinguished_name.hpp"

#include "server/access.hpp"
#include "server/denials.hpp"
#include "tests/fuzz/fuzz.hpp"

#include <stdexcept>

// Names that rules and certificates have: the first byte says which kind; then what stands in a
// rule, and behind a NUL byte what a certificate has. What was read and written again means the
// same; a name in its own words matches itself, and matches nothing that is another.

namespace interposed::fuzz {

namespace {

using namespace config;

template <typename Parse>
auto read(Parse parse, std::string_view text) -> std::optional<decltype(parse(text))> {
    try {
        return parse(text);
    } catch (const std::invalid_argument& why) {
        require(!std::string_view(why.what()).empty(), "who refuses says why");
        return std::nullopt;
    }
}

server::Peer peer_with(server::TlsIdentity identity) {
    server::Peer peer{.name = "fuzzer", .client = "fuzzer", .address = {}};
    peer.tls = std::move(identity);
    const std::string text = server::identity_of(peer);
    require(text.size() < 4096, "an identity is told in short");
    for (const char c : text)
        require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f,
                "no control character of a client is told");
    return peer;
}

bool lets_in(AccessRule rule, const server::Peer& peer) {
    const server::AccessList list({server::AccessList::Rule{.source = std::move(rule)}});
    return list.of(peer) != Access::none;
}

void check_subject(std::string_view wanted, std::string_view presented) {
    const auto name = read(parse_distinguished_name, wanted);
    const auto other = read(parse_distinguished_name, presented);
    const auto peer = peer_with({.subject = std::string(presented)});
    if (!name)
        return;
    require(!name->relatives.empty(), "a name is not empty");
    const std::string text = to_string(*name);
    require(parse_distinguished_name(text) == *name, "a name that is written means the same");
    require(to_string(parse_distinguished_name(text)) == text, "there is one way to write it");
    AccessRule rule{.address = {}};
    rule.tls_subject = *name;
    require(lets_in(rule, peer) == (other == name), "who has the name is let in, and nobody else");
    require(lets_in(rule, peer_with({.subject = text})), "a name means itself");
}

void check_alternative(std::string_view wanted, std::string_view presented) {
    const auto name = read(parse_alternative_name, wanted);
    const auto peer = peer_with({.alternative_names = {std::string(presented)}});
    if (!name)
        return;
    const std::string text = to_string(*name);
    require(parse_alternative_name(text) == *name, "a name that is written means the same");
    require(matches(*name, text) != name->any_label, "a name means itself, a wildcard does not");
    const bool same = matches(*name, presented);
    require(!same || presented.find('\0') == std::string_view::npos, "no name with NUL matches");
    require(!same || presented.find('*') == std::string_view::npos ||
                name->kind != AlternativeName::Kind::dns,
            "a wildcard in a certificate is nobody's name");
    const auto other = read(parse_alternative_name, presented);
    require(!same || name->any_label || other == name, "what matches is the same name");
    AccessRule rule{.address = {}};
    rule.tls_san = *name;
    require(lets_in(rule, peer) == same, "who has the name is let in, and nobody else");
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace interposed::fuzz;
    Input input(data, size);
    const bool is_subject = input.take<std::uint8_t>() % 2 == 0;
    const Bytes rest = input.take_rest();
    const std::string_view text = text_of(rest);
    const std::size_t end = std::min(text.find('\0'), text.size());
    const std::string_view wanted = text.substr(0, end);
    const std::string_view presented = text.substr(std::min(end + 1, text.size()));
    if (is_subject)
        check_subject(wanted, presented);
    else
        check_alternative(wanted, presented);
    return 0;
}
