#include "server/export_set.hpp"

#include "tests/support/access_rules.hpp"
#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>
#include <set>

// What one client gets to see of the exports, byte by byte.
namespace interposed::server {

namespace {

using protocol::Bytes;
using tests::access_list;
using tests::info_data;
using tests::MemoryDevice;
using tests::peer_at;
using tests::wire;

constexpr std::uint32_t export_name = 1;
constexpr std::uint32_t err_unknown = 0x80000006;

std::shared_ptr<Export> made(const std::string& name, const std::string& rules = {},
                             std::size_t size = 4096) {
    auto one = tests::memory_export(name, {std::make_shared<MemoryDevice>(size)});
    if (!rules.empty())
        one->access = access_list(rules);
    return one;
}

std::shared_ptr<Export> kernel_only(const std::string& name) {
    auto one = made(name);
    config::Export source;
    source.kernel_only = true;
    ResolvedExport resolved;
    resolved.source = &source;
    one->definition = std::make_shared<Definition>(resolved);
    return one;
}

Bytes contexts(std::string_view name) {
    return wire()
        .u32(static_cast<std::uint32_t>(name.size()))
        .text(name)
        .u32(1)
        .u32(15)
        .text("base:allocation");
}

/// Everything that this peer is answered who asks for the name in every way, each on a connection
/// of its own, and for the list.
std::vector<Bytes> answers(const ExportSet& exports, const Peer& peer, std::string_view name) {
    std::vector<Bytes> all;
    for (const std::uint32_t option : {export_name, 3U, 6U, 7U, 9U, 10U}) {
        PeerCatalog catalog(exports, peer);
        Negotiation negotiation(catalog, {.fixed_newstyle = true, .no_zeroes = true});
        Bytes out;
        negotiation.answer({.option = protocol::Option::structured_reply, .length = 0}, {}, out);
        const Bytes data = option == export_name ? Bytes(wire().text(name))
                           : option == 3         ? Bytes()
                           : option < 9          ? info_data(name)
                                                 : contexts(name);
        const auto next = negotiation.answer({.option = static_cast<protocol::Option>(option),
                                              .length = static_cast<std::uint32_t>(data.size())},
                                             data, out);
        out.push_back(static_cast<std::byte>(next));
        out.push_back(static_cast<std::byte>(negotiation.chosen() != nullptr));
        all.push_back(out);
    }
    return all;
}

std::uint32_t type_of_last_reply(const Bytes& answer) {
    std::uint32_t type = 0;
    for (std::size_t at = 0; at + 20 <= answer.size() - 2;) {
        type = protocol::load_be<std::uint32_t>(answer.data() + at + 12);
        at += 20 + protocol::load_be<std::uint32_t>(answer.data() + at + 16);
    }
    return type;
}

const Peer stranger = peer_at("10.0.0.1");
const Peer friendly = peer_at("192.0.2.1");
const std::string for_friends = R"("192.0.2.0/24")";

} // namespace

TEST_CASE("an export that a client may not see is not told from one that there is not",
          "[server]") {
    const ExportSet with({made("open"), made("closed", for_friends), kernel_only("kernel"),
                          made("other", for_friends), made("second")});
    const ExportSet without({made("open"), made("second")});
    for (const std::string name : {"closed", "kernel", "absent", "open", ""})
        CHECK(answers(with, stranger, name) == answers(without, stranger, name));
    CHECK(answers(with, stranger, "closed") == answers(with, stranger, "absent"));
    CHECK(answers(with, stranger, "kernel") == answers(with, stranger, "absent"));
    for (const std::size_t one : {2U, 3U, 4U, 5U}) // INFO, GO, and both about contexts
        CHECK(type_of_last_reply(answers(with, stranger, "closed").at(one)) == err_unknown);
    CHECK(answers(with, friendly, "closed") != answers(with, friendly, "absent"));
}

TEST_CASE("the default export depends on nothing that a client may not see", "[server]") {
    const ExportSet with({made("open"), made("closed", for_friends), kernel_only("kernel")});
    const ExportSet without({made("open")});
    CHECK(answers(with, stranger, "") == answers(without, stranger, ""));
    CHECK(PeerCatalog(with, stranger).find("")->name == "open");
    CHECK_FALSE(PeerCatalog(with, friendly).find(""));

    const ExportSet one_closed({made("", for_friends), made("open")});
    CHECK(answers(one_closed, stranger, "") == answers(without, stranger, ""));
    CHECK(PeerCatalog(one_closed, friendly).find("")->name.empty());
}

TEST_CASE("there are as many exports in the list as the client may see", "[server]") {
    const ExportSet exports({made("a", for_friends), made("b"), made("c", R"("10.0.0.0/8")")});
    const auto names = [&exports](const Peer& peer) {
        std::string all;
        for (const auto& each : PeerCatalog(exports, peer).visible())
            all += each->name;
        return all;
    };
    CHECK(names(friendly) == "ab");
    CHECK(names(stranger) == "bc");
    CHECK(names(peer_at("::1")) == "b");
}

TEST_CASE("who may only read is told so, and others are not", "[server]") {
    const ExportSet exports({made("a", for_friends + R"(, {"access": "read_only"})")});
    const auto flags = [&exports](const Peer& peer) {
        PeerCatalog catalog(exports, peer);
        Negotiation negotiation(catalog, {.fixed_newstyle = true, .no_zeroes = true});
        Bytes out;
        const Bytes name = wire().text("a");
        negotiation.answer({.option = protocol::Option::export_name, .length = 1}, name, out);
        return protocol::load_be<std::uint16_t>(out.data() + 8);
    };
    CHECK(flags(friendly) == 0x0d6d);
    CHECK(flags(stranger) == 0x050f);
}

TEST_CASE("who a client is, is asked each time", "[server]") {
    const ExportSet exports({made("a", R"({"psk": "alice"})")});
    Peer peer = stranger;
    const PeerCatalog catalog(exports, peer);
    CHECK_FALSE(catalog.find("a"));
    peer.tls = TlsIdentity{.psk = "alice"};
    CHECK(catalog.find("a"));
    peer.tls.reset();
    CHECK_FALSE(catalog.find("a"));
}

TEST_CASE("a client may do what both the listener and the export let it", "[server]") {
    const auto entrance = std::make_shared<ListenerRules>();
    const ExportSet exports({made("all"), made("friends", for_friends),
                             made("readers", R"({"access": "read_only"})")});
    const auto access = [&](const std::string& name, const Peer& peer) {
        return PeerCatalog(exports, peer, entrance).access_to(*exports.find(name)->now());
    };
    using config::Access;
    CHECK(access("all", stranger) == Access::read_write);
    CHECK(access("friends", stranger) == Access::none);
    CHECK(access("readers", stranger) == Access::read_only);
    entrance->set(access_list(R"({"access": "read_only"})"));
    CHECK(access("all", stranger) == Access::read_only);
    CHECK(access("friends", friendly) == Access::read_only);
    CHECK(access("friends", stranger) == Access::none);
    entrance->set(access_list(for_friends));
    CHECK(access("all", stranger) == Access::none);
    CHECK(access("readers", friendly) == Access::read_only);
    CHECK_FALSE(PeerCatalog(exports, stranger, entrance).find("all"));
}

TEST_CASE("this host's kernel was promised its export, whatever its rules are", "[server]") {
    const ExportSet exports({made("a", for_friends)});
    const Peer kernel{.name = "kernel", .client = "kernel", .address = {}};
    PeerCatalog catalog(exports, kernel);
    CHECK_FALSE(catalog.find("a"));
    CHECK(catalog.admit_kernel("a"));
}

TEST_CASE("there is something to do for a name that there is not", "[server]") {
    const ExportSet exports({made("a"), made("b"), made("c")});
    std::set<std::string> found;
    for (int i = 0; i < 100; ++i) {
        const std::string name = "absent " + std::to_string(i);
        REQUIRE(exports.decoy(name));
        CHECK(exports.decoy(name) == exports.decoy(name));
        found.insert(exports.decoy(name)->now()->name);
    }
    CHECK(found.size() == 3);
    const ExportSet none(std::vector<std::shared_ptr<const Export>>{});
    CHECK_FALSE(none.decoy("a"));
    CHECK_FALSE(PeerCatalog(none, stranger).find("a"));
}

} // namespace interposed::server
