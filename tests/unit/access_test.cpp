#include "server/access.hpp"

#include "server/denials.hpp"
#include "tests/support/access_rules.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace interposed::server {

namespace {

using config::Access;
using tests::access_list;
using tests::peer_at;

Access access(const std::string& rules, const Peer& peer) {
    return access_list(rules)->of(peer);
}

bool lets_in(const std::string& rules, const Peer& peer) {
    return access(rules, peer) != Access::none;
}

Peer unix_client(uid_t uid, gid_t gid, std::vector<gid_t> groups = {}) {
    Peer peer{.name = "peer", .client = "peer", .address = {}};
    peer.unix_client = Credentials{.pid = 1, .uid = uid, .gid = gid, .groups = std::move(groups)};
    return peer;
}

Peer with_tls(TlsIdentity tls) {
    Peer peer = peer_at("192.0.2.1");
    peer.tls = std::move(tls);
    return peer;
}

const Peer nobody_known{.name = "peer", .client = "peer", .address = {}};

} // namespace

TEST_CASE("without rules everybody may do everything", "[server]") {
    CHECK(access_by(nullptr, peer_at("10.0.0.1")) == Access::read_write);
    CHECK(access_by(nullptr, unix_client(7, 7)) == Access::read_write);
    CHECK(access_by(nullptr, nobody_known) == Access::read_write);
}

TEST_CASE("once there is a rule, nobody is let in whom none is for", "[server]") {
    for (const char* const rule : {R"("10.0.0.0/8")", R"({"user": 0})", R"({"group": 0})",
                                   R"({"psk": "a"})", R"({"tls_subject": "CN=a"})"}) {
        CHECK_FALSE(lets_in(rule, peer_at("11.0.0.1")));
        CHECK_FALSE(lets_in(rule, peer_at("::1")));
        CHECK_FALSE(lets_in(rule, unix_client(7, 7)));
        CHECK_FALSE(lets_in(rule, nobody_known));
    }
}

TEST_CASE("an address is in a range of its own family", "[server]") {
    CHECK(access(R"("10.0.0.0/8")", peer_at("10.1.2.3")) == Access::read_write);
    CHECK(lets_in(R"("::1")", peer_at("::1")));
    CHECK_FALSE(lets_in(R"("0.0.0.0/0")", peer_at("::1")));
    CHECK_FALSE(lets_in(R"("::/0")", peer_at("127.0.0.1")));
    CHECK(lets_in(R"("::ffff:127.0.0.1")", peer_at("127.0.0.1")));
}

TEST_CASE("rules of addresses are for nobody who comes through a Unix socket", "[server]") {
    CHECK_FALSE(lets_in(R"("0.0.0.0/0", "::/0")", unix_client(0, 0)));
    CHECK(lets_in(R"("0.0.0.0/0", "unix")", unix_client(7, 7)));
    CHECK_FALSE(lets_in(R"("unix")", peer_at("127.0.0.1")));
}

TEST_CASE("who is gone already is let in by no rule that wants something", "[server]") {
    CHECK_FALSE(lets_in(R"("0.0.0.0/0", "::/0", "unix", {"user": 0})", nobody_known));
    CHECK(lets_in(R"({"access": "read_write"})", nobody_known));
}

TEST_CASE("a user is one of a Unix socket, by number or name", "[server]") {
    CHECK(lets_in(R"({"user": 7})", unix_client(7, 8)));
    CHECK_FALSE(lets_in(R"({"user": 7})", unix_client(8, 7, {7})));
    CHECK(lets_in(R"({"user": "root"})", unix_client(0, 8)));
    CHECK_FALSE(lets_in(R"({"user": "root"})", peer_at("127.0.0.1")));
}

TEST_CASE("a group is the first of a client, or any other that it is in", "[server]") {
    CHECK(lets_in(R"({"group": 7})", unix_client(1, 7)));
    CHECK(lets_in(R"({"group": 7})", unix_client(1, 8, {9, 7})));
    CHECK_FALSE(lets_in(R"({"group": 7})", unix_client(7, 8, {9})));
    CHECK(lets_in(R"({"group": "root"})", unix_client(1, 0)));
}

TEST_CASE("all members of a rule have to match", "[server]") {
    const std::string rule = R"({"user": 7, "group": 8})";
    CHECK(lets_in(rule, unix_client(7, 8)));
    CHECK_FALSE(lets_in(rule, unix_client(7, 9)));
    CHECK_FALSE(lets_in(rule, unix_client(6, 8)));
    Peer alice = with_tls({.psk = "alice"});
    CHECK(lets_in(R"({"psk": "alice", "address": "192.0.2.0/24"})", alice));
    CHECK_FALSE(lets_in(R"({"psk": "alice", "address": "10.0.0.0/8"})", alice));
    CHECK_FALSE(lets_in(R"({"psk": "alice", "user": 0})", alice));
}

TEST_CASE("a rule without a condition is for everybody", "[server]") {
    const std::string rule = R"({"access": "read_only"})";
    CHECK(access(rule, peer_at("10.0.0.1")) == Access::read_only);
    CHECK(access(rule, unix_client(7, 7)) == Access::read_only);
    CHECK(access(rule, with_tls({.psk = "alice"})) == Access::read_only);
}

TEST_CASE("of the rules that match the most generous counts, wherever it stands", "[server]") {
    const std::string everybody = R"({"access": "read_only"})";
    const std::string backup = R"({"address": "10.0.0.1", "access": "read_write"})";
    for (const std::string& rules : {everybody + "," + backup, backup + "," + everybody}) {
        CHECK(access(rules, peer_at("10.0.0.1")) == Access::read_write);
        CHECK(access(rules, peer_at("10.0.0.2")) == Access::read_only);
    }
}

TEST_CASE("who proves more of himself never gets less", "[server]") {
    const std::string rules = R"("192.0.2.0/24", {"psk": "guest", "access": "read_only"})";
    CHECK(access(rules, peer_at("192.0.2.1")) == Access::read_write);
    CHECK(access(rules, with_tls({.psk = "guest"})) == Access::read_write);
    Peer elsewhere = with_tls({.psk = "guest"});
    elsewhere.address = config::parse_range("10.0.0.1");
    CHECK(access(rules, elsewhere) == Access::read_only);
}

TEST_CASE("a subject is compared as a name, not as a text", "[server]") {
    const std::string rule = R"({"tls_subject": "CN=a\\,b, O=c+OU=d"})";
    CHECK(lets_in(rule, with_tls({.subject = "CN=a\\2Cb,OU=d+O=c"})));
    CHECK_FALSE(lets_in(rule, with_tls({.subject = "CN=a\\2Cb"})));
    CHECK_FALSE(lets_in(rule, with_tls({.subject = "O=c+OU=d,CN=a\\,b"})));
    CHECK_FALSE(lets_in(rule, with_tls({.subject = "CN=A\\,b,O=c+OU=d"})));
}

TEST_CASE("a subject that cannot be read, or that there is not, is nobody's", "[server]") {
    const std::string rules = R"({"tls_subject": "CN="}, {"tls_subject": "CN=a"})";
    for (const char* const subject : {"", "CN", "CN=a,", "a", "/CN=a", "CN=a\\00"})
        CHECK_FALSE(lets_in(rules, with_tls({.subject = subject})));
    CHECK(lets_in(rules, with_tls({.subject = "CN="})));
}

TEST_CASE("what TLS has not told is no name", "[server]") {
    const std::string rules = R"({"tls_subject": "CN=a"}, {"tls_common_name": "a"},
                                 {"tls_san": "dns:a"}, {"psk": "a"})";
    CHECK_FALSE(lets_in(rules, peer_at("192.0.2.1")));
    CHECK_FALSE(lets_in(rules, with_tls({})));
    CHECK(lets_in(rules, with_tls({.common_name = "a"})));
    CHECK(lets_in(rules, with_tls({.psk = "a"})));
    CHECK(lets_in(rules, with_tls({.alternative_names = {"uri:x:y", "dns:a"}})));
}

TEST_CASE("one kind of identity does not stand for another", "[server]") {
    CHECK_FALSE(lets_in(R"({"psk": "a"})", with_tls({.subject = "CN=a", .common_name = "a"})));
    CHECK_FALSE(lets_in(R"({"tls_common_name": "a"})", with_tls({.psk = "a"})));
    CHECK_FALSE(lets_in(R"({"tls_common_name": "a"})", with_tls({.alternative_names = {"dns:a"}})));
    CHECK_FALSE(lets_in(R"({"tls_san": "dns:a"})", with_tls({.common_name = "a"})));
}

TEST_CASE("a key's identity and a common name are compared byte by byte", "[server]") {
    for (const char* const other : {"Alice", "alice ", "alic", "alicea"}) {
        CHECK_FALSE(lets_in(R"({"psk": "alice"})", with_tls({.psk = other})));
        CHECK_FALSE(lets_in(R"({"tls_common_name": "alice"})", with_tls({.common_name = other})));
    }
    CHECK_FALSE(lets_in(R"({"psk": "alice"})", with_tls({.psk = std::string("alice\0", 6)})));
}

TEST_CASE("users and groups that there are not are faults at their places", "[server]") {
    const auto one = config::parse_export(
        R"({"name": "a", "dm_table": "0 8 linear /x 0", "allow": [
{"user": "no-such-user", "group": "no-such-group"}, {"user": "root"}, {"user": 123456}]})",
        "f", "/");
    std::vector<config::Fault> faults;
    (void)resolve_access(one.allow, faults);
    REQUIRE(faults.size() == 2);
    CHECK(faults[0].place.line == 2);
    CHECK(faults[0].place.path == "allow[0].user");
    CHECK(faults[0].message == "want a user that this system knows, got \"no-such-user\"");
    CHECK(faults[1].place.path == "allow[0].group");
    CHECK(faults[1].message == "want a group that this system knows, got \"no-such-group\"");
}

TEST_CASE("two lists are the same if they let in the same clients", "[server]") {
    CHECK(same_access(access_list(R"({"user": "root"})"), access_list(R"({"user": "root"})")));
    CHECK_FALSE(same_access(access_list(R"({"user": "root"})"), access_list(R"({"user": 1})")));
    CHECK_FALSE(same_access(access_list(R"({"user": "root"})"), nullptr));
    CHECK(same_access(nullptr, nullptr));
    const auto renumbered = [](gid_t group) {
        AccessList::Rule rule{.source = {}, .user = {}, .group = group};
        rule.source.group = {"disk", {}};
        return std::make_shared<const AccessList>(std::vector{rule});
    };
    CHECK(same_access(renumbered(6), renumbered(6)));
    CHECK_FALSE(same_access(renumbered(6), renumbered(7)));
}

TEST_CASE("the kernel tells who is at the other end of a Unix socket", "[server]") {
    int ends[2] = {};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const Peer peer = Peer::of(ends[0]);
    REQUIRE(peer.unix_client);
    CHECK(peer.unix_client->pid == ::getpid());
    CHECK(peer.unix_client->uid == ::geteuid());
    CHECK(peer.unix_client->gid == ::getegid());
    CHECK_FALSE(peer.address);
    std::vector<gid_t> groups(static_cast<std::size_t>(::getgroups(0, nullptr)));
    REQUIRE(::getgroups(static_cast<int>(groups.size()), groups.data()) >= 0);
    std::sort(groups.begin(), groups.end());
    auto found = peer.unix_client->groups;
    std::sort(found.begin(), found.end());
    CHECK(found == groups);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("an identity is told in full, escaped, and not without end", "[server]") {
    CHECK(identity_of(peer_at("2001:db8::1")) == "address 2001:db8::1, no TLS identity");
    CHECK(identity_of(unix_client(7, 8)) == "uid 7, gid 8, no TLS identity");
    CHECK(identity_of(unix_client(7, 8, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})) ==
          "uid 7, gid 8, groups 1 2 3 4 5 6 7 8 and 2 more, no TLS identity");
    CHECK(identity_of(nobody_known) == "nothing that the kernel tells, no TLS identity");
    CHECK(identity_of(with_tls({})) == "address 192.0.2.1, a TLS identity without a name");
    CHECK(identity_of(with_tls({.subject = "CN=a\n",
                                .alternative_names = {"dns:\"", "uri:\x1b[0m"},
                                .common_name = "a\n",
                                .psk = {}})) ==
          "address 192.0.2.1, TLS subject \"CN=a\\n\", common name \"a\\n\", alternative names "
          "\"dns:\\\"\" \"uri:\\u001b[0m\"");
    const std::string text = identity_of(
        with_tls({.alternative_names = std::vector<std::string>(10000, std::string(10000, 'x')),
                  .psk = std::string(100000, 'x')}));
    CHECK(text.size() < 3000);
    CHECK(text.find("\"xxx") != std::string::npos);
    CHECK(text.find(" and 9992 more, PSK identity \"xxx") != std::string::npos);
}

} // namespace interposed::server
