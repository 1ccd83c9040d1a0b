#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

/// The report on the rules of an export, which begin on the third line.
std::string why_not(const std::string& rules) {
    return report(with_members("\"allow\": [\n" + rules + "]"));
}

std::vector<AccessRule> rules(const std::string& text) {
    return export_with("\"allow\": [" + text + "]").allow.value();
}

/// The report on one listener, whose rules begin on the third line.
std::string why_not_at(const std::string& listener, const std::string& rules) {
    return report(with_listen("{" + listener + ", \"allow\": [\n" + rules + "]}"));
}

} // namespace

TEST_CASE("a rule that is a string is an address, a range or any Unix client", "[config]") {
    const auto found = rules(R"("10.0.0.0/8", "unix")");
    REQUIRE(found.size() == 2);
    CHECK(found[0] == AccessRule{.address = parse_range("10.0.0.0/8")});
    CHECK(found[1] == AccessRule{.address = {}, .unix_socket = true});
    CHECK(found[0].access == Access::read_write);
    CHECK(found[1].place.path == "exports[0].allow[1]");
    CHECK(rules(R"({"address": "10.0.0.0/8"}, {"address": "unix"})") == found);
}

TEST_CASE("a rule that is an object has all of its members", "[config]") {
    const auto found = rules(R"(
        {"user": "backup", "group": 6, "psk": "alice", "access": "read_only"},
        {"address": "::1", "tls_subject": "O=b + CN=a", "tls_common_name": "a",
         "tls_san": "dns:*.Example.com", "access": "read_write"},
        {"access": "read_only"})");
    REQUIRE(found.size() == 3);
    CHECK(found[0].user->name == "backup");
    CHECK(found[0].user->place.path == "exports[0].allow[0].user");
    CHECK(found[0].group->name == "6");
    CHECK(found[0].psk == "alice");
    CHECK(found[0].access == Access::read_only);
    CHECK(to_string(*found[1].tls_subject) == "O=b+CN=a");
    CHECK(found[1].tls_common_name == "a");
    CHECK(to_string(*found[1].tls_san) == "dns:*.example.com");
    CHECK(found[2] == AccessRule{.address = {}, .access = Access::read_only});
}

TEST_CASE("an export's rules are written as they were read", "[config]") {
    const std::string text =
        R"(["10.0.0.0/8", "unix", {"address": "::1", "access": "read_only"}, )"
        R"({"address": "unix", "user": "backup", "group": "6", "access": "read_write"}, )"
        R"({"tls_subject": "CN=a\\,b,O=c", "tls_common_name": "a,b", "tls_san": "ip:::1", )"
        R"("access": "read_write"}, {"psk": "alice", "access": "read_write"}])";
    CHECK(to_json(rules(text.substr(1, text.size() - 2))) == text);
}

TEST_CASE("each fault of a rule is reported at its place", "[config]") {
    const std::string at = "exports[0].allow";
    CHECK(why_not("true,\n{},\n{\"adress\": \"::1\"},\n{\"address\": 1,\n\"user\": [],\n"
                  "\"group\": -1}") ==
          "f:3:1: " + at + "[0]: want an address or a range in quotes, or an object, got true\n"
          "f:4:1: " + at + "[1]: want at least one member in a rule, got none; {\"access\": "
                           "\"read_write\"} is for everybody\n"
          "f:5:2: " + at + "[2].adress: unknown key \"adress\" in a rule; did you mean "
                           "\"address\"?\n"
          "f:6:13: " + at + "[3].address: want an address or a range in quotes, got 1\n"
          "f:7:9: " + at + "[3].user: want a name in quotes, or a number, got an array\n"
          "f:8:10: " + at + "[3].group: want a name in quotes, or a number, got -1");
    CHECK(why_not("{\"user\": 4294967295,\n\"access\": \"readonly\"},\n{\"psk\": \"\"},\n"
                  "{\"tls_common_name\": \"a\\u0000\"}") ==
          "f:3:10: " + at + "[0].user: want a name or a number below 4294967295, got "
                            "\"4294967295\"\n"
          "f:4:11: " + at + "[0].access: want \"read_only\" or \"read_write\", got \"readonly\"; "
                            "did you mean \"read_only\"?\n"
          "f:5:9: " + at + "[1].psk: want a name that is not empty, without NUL, got \"\"\n"
          "f:6:21: " + at + "[2].tls_common_name: want a name that is not empty, without NUL, got "
                            "\"a\\u0000\"");
    CHECK(why_not("{\"tls_subject\": \"backup\"},\n{\"tls_subject\": \"CN=a,OV=b\"},\n"
                  "{\"tls_san\": \"backup\"}") ==
          "f:3:17: " + at + "[0].tls_subject: want a distinguished name such as "
                            "\"CN=backup,O=Example\", got \"backup\": want an equals sign behind "
                            "\"backup\"\n"
          "f:4:17: " + at + "[1].tls_subject: want types that are known, or their numbers, got "
                            "\"ov\"; did you mean \"OU\"?\n"
          "f:5:13: " + at + "[2].tls_san: want \"dns:HOST\", \"email:ADDRESS\", \"uri:URI\" or "
                            "\"ip:ADDRESS\", got \"backup\"");
}

TEST_CASE("a rule that no client can match is a fault", "[config]") {
    CHECK(why_not("{\"address\": \"::1\",\n\"user\": \"a\",\n\"group\": \"b\"}") ==
          "f:4:9: exports[0].allow[0].user: want no \"user\" beside an address: clients of Unix "
          "sockets have none\n"
          "f:5:10: exports[0].allow[0].group: want no \"group\" beside an address: clients of Unix "
          "sockets have none");
    CHECK(why_not("{\"psk\": \"a\",\n\"tls_san\": \"dns:a\"}") ==
          "f:4:12: exports[0].allow[0].tls_san: want no \"tls_san\" beside \"psk\": who has a key "
          "that was agreed on shows no certificate");
    CHECK(why_not(R"({"address": "unix", "user": "a", "psk": "a"})").empty());
    CHECK(why_not(R"({"tls_subject": "CN=a", "tls_common_name": "a", "tls_san": "dns:a"})")
              .empty());
}

TEST_CASE("a read-only rule for those who may write is a fault", "[config]") {
    const auto idle = [](const std::string& narrow, const std::string& wide) {
        const std::string read_only = "{" + narrow + ", \"access\": \"read_only\"}";
        const std::string before = why_not(read_only + ",\n" + wide);
        const std::string behind = why_not(wide + ",\n" + read_only);
        CHECK(before.empty() == behind.empty());
        if (!before.empty()) {
            CHECK(before.find("f:3:1: exports[0].allow[0]: want a rule that makes a difference, "
                              "got a read-only one whose clients may write by "
                              "exports[0].allow[1]") ==
                  0);
            CHECK(behind.find("f:4:1: exports[0].allow[1]: ") == 0);
        }
        return !before.empty();
    };
    CHECK(idle(R"("address": "10.0.0.1")", R"("10.0.0.0/8")"));
    CHECK(idle(R"("address": "10.0.0.0/8")", R"("10.0.0.0/8")"));
    CHECK_FALSE(idle(R"("address": "10.0.0.0/7")", R"("10.0.0.0/8")"));
    CHECK_FALSE(idle(R"("address": "::a00:1")", R"("10.0.0.0/8")"));
    CHECK(idle(R"("user": "a")", R"("unix")"));
    CHECK(idle(R"("group": "a")", R"("unix")"));
    CHECK_FALSE(idle(R"("psk": "a")", R"("unix")"));
    CHECK_FALSE(idle(R"("address": "unix")", R"({"user": "a"})"));
    CHECK(idle(R"("psk": "a", "user": "b")", R"({"psk": "a"})"));
    CHECK_FALSE(idle(R"("psk": "a")", R"({"psk": "a", "user": "b"})"));
    CHECK_FALSE(idle(R"("psk": "a")", R"({"psk": "b"})"));
    CHECK(idle(R"("tls_san": "dns:a.example")", R"({"tls_san": "dns:*.example"})"));
    CHECK_FALSE(idle(R"("tls_san": "dns:*.example")", R"({"tls_san": "dns:a.example"})"));
    CHECK(idle(R"("tls_subject": "CN=a, O=b")", R"({"tls_subject": "cn=a,o=b"})"));
    CHECK(idle(R"("tls_common_name": "a")", R"({"access": "read_write"})"));
    CHECK(why_not(R"("10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8")").empty());
}

TEST_CASE("a listener has the rules that can be known when a client is accepted", "[config]") {
    const auto listener = [](const std::string& text) {
        return parse(with_listen(text), "f", "/conf").listen.at(0);
    };
    CHECK(listener(R"({"tcp": "h", "allow": ["::1", {"access": "read_only"}]})").allow->size() ==
          2);
    CHECK(listener(R"({"unix": "s", "allow": ["unix", {"user": 0}, {"group": "a"}]})")
              .allow->size() == 3);
    CHECK_FALSE(listener(R"({"unix": "s"})").allow);
    CHECK(why_not_at("\"tcp\": \"h\"",
                     "\"unix\",\n{\"user\": \"a\"},\n{\"psk\": \"a\"},\n{\"tls_subject\": "
                     "\"CN=a\"}") ==
          "f:3:1: listen.allow[0]: want addresses, for nobody comes to a TCP listener through a "
          "unix socket, got \"unix\"\n"
          "f:4:10: listen.allow[1].user: \"user\" belongs to a unix socket, not to a TCP "
          "listener\n"
          "f:5:9: listen.allow[2].psk: \"psk\" is not known yet when a client is accepted; it "
          "belongs in the \"allow\" of exports\n"
          "f:6:17: listen.allow[3].tls_subject: \"tls_subject\" is not known yet when a client is "
          "accepted; it belongs in the \"allow\" of exports");
    CHECK(why_not_at("\"unix\": \"s\"", "\"::1\",\n{\"address\": \"::1\"},\n{\"tls_san\": "
                                        "\"dns:a\"}") ==
          "f:3:1: listen.allow[0]: want users and groups, for clients of a unix socket have no "
          "address, got \"::1\"\n"
          "f:4:13: listen.allow[1].address: want users and groups, for clients of a unix socket "
          "have no address, got \"::1\"\n"
          "f:5:13: listen.allow[2].tls_san: \"tls_san\" is not known yet when a client is "
          "accepted; it belongs in the \"allow\" of exports");
    CHECK(report(with_listen(R"({"tcp": "h", "allow": []})")) ==
          "f:2:23: listen.allow: want at least one rule, got an empty array; without \"allow\" "
          "everybody is let in");
}

TEST_CASE("two listeners that are only alike have the same rules", "[config]") {
    const std::string one = R"({"tcp": "h:0", "allow": ["::1"]})";
    CHECK(report(with_listen("[" + one + ", " + one + "]")).empty());
    CHECK(report(with_listen("[" + one + ",\n\"tcp://h:0\"]")) ==
          "f:3:1: listen[1]: want each listener once, got \"tcp://h:0\" as in listen[0]");
}

TEST_CASE("a key of a rule is told where it belongs", "[config]") {
    CHECK(report(with_members("\"psk\": \"a\"")) ==
          "f:2:1: exports[0].psk: unknown key \"psk\" in an export; it belongs in a rule");
}

TEST_CASE("a range contains what is in it, of its own family", "[config]") {
    const auto is_in = [](const char* part, const char* range) {
        return contains(parse_range(range), parse_range(part));
    };
    CHECK(is_in("10.1.2.3", "10.0.0.0/8"));
    CHECK(is_in("10.0.0.0/8", "10.0.0.0/8"));
    CHECK(is_in("::ffff:10.1.2.3", "10.0.0.0/8"));
    CHECK(is_in("255.255.255.255", "0.0.0.0/0"));
    CHECK(is_in("2001:db8::1", "2001:db8::/33"));
    CHECK_FALSE(is_in("2001:db8:8000::1", "2001:db8::/33"));
    CHECK_FALSE(is_in("11.0.0.0", "10.0.0.0/8"));
    CHECK_FALSE(is_in("10.0.0.0/7", "10.0.0.0/8"));
    CHECK_FALSE(is_in("::1", "0.0.0.0/0"));
    CHECK_FALSE(is_in("1.2.3.4", "::/0"));
}
