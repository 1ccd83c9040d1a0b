#include "config/alternative_name.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

bool means(std::string_view wanted, std::string_view presented) {
    return matches(parse_alternative_name(wanted), presented);
}

std::string why_not(std::string_view text) {
    try {
        parse_alternative_name(text);
        return {};
    } catch (const std::invalid_argument& why) {
        return why.what();
    }
}

} // namespace

TEST_CASE("a host name means itself, in whatever case", "[config]") {
    CHECK(means("dns:backup.example.com", "dns:backup.example.com"));
    CHECK(means("dns:BACKUP.example.com", "dns:Backup.Example.COM"));
    CHECK(means("dns:backup", "dns:backup"));
    for (const char* const other :
         {"dns:backup.example.com.", "dns:a.backup.example.com", "dns:backup.example", "dns:",
          "dns:*.example.com", "dns:.backup.example.com", "backup.example.com",
          "DNS:backup.example.com", "uri:backup.example.com", "email:backup.example.com"})
        CHECK_FALSE(means("dns:backup.example.com", other));
    CHECK_FALSE(means("dns:backup", std::string_view("dns:backup\0", 11)));
}

TEST_CASE("a star means one label, and a whole one", "[config]") {
    CHECK(means("dns:*.example.com", "dns:a.example.com"));
    CHECK(means("dns:*.Example.com", "dns:A-1_b.example.COM"));
    for (const char* const other :
         {"dns:example.com", "dns:a.b.example.com", "dns:.example.com", "dns:a.example.org",
          "dns:*.example.com", "dns:a*.example.com", "dns:aexample.com", "dns:a b.example.com"})
        CHECK_FALSE(means("dns:*.example.com", other));
    CHECK_FALSE(means("dns:*.example.com", std::string_view("dns:\0.example.com", 17)));
}

TEST_CASE("of a mail address only the host is in whatever case", "[config]") {
    CHECK(means("email:Ops@Example.com", "email:Ops@example.COM"));
    CHECK_FALSE(means("email:Ops@example.com", "email:ops@example.com"));
    CHECK_FALSE(means("email:ops@example.com", "email:ops@mail.example.com"));
    CHECK_FALSE(means("email:ops@example.com", "email:example.com"));
    CHECK_FALSE(means("email:ops@example.com", "dns:ops@example.com"));
}

TEST_CASE("a URI means itself alone", "[config]") {
    CHECK(means("uri:spiffe://example.org/backup", "uri:spiffe://example.org/backup"));
    CHECK_FALSE(means("uri:spiffe://example.org/backup", "uri:spiffe://example.org/backup/"));
    CHECK_FALSE(means("uri:spiffe://example.org/backup", "uri:spiffe://EXAMPLE.org/backup"));
    CHECK_FALSE(means("uri:spiffe://example.org/*", "uri:spiffe://example.org/backup"));
}

TEST_CASE("an IP address means itself, however it is spelt", "[config]") {
    CHECK(means("ip:192.0.2.1", "ip:192.0.2.1"));
    CHECK(means("ip:2001:DB8:0::1", "ip:2001:db8::1"));
    CHECK(means("ip:2001:db8::1", "ip:2001:0db8:0:0:0:0:0:1"));
    CHECK_FALSE(means("ip:192.0.2.1", "ip:192.0.2.10"));
    CHECK_FALSE(means("ip:192.0.2.1", "ip:192.0.2"));
    CHECK_FALSE(means("ip:192.0.2.1", "dns:192.0.2.1"));
    CHECK_FALSE(means("dns:192.0.2.1", "ip:192.0.2.1"));
}

TEST_CASE("an alternative name is written in one way", "[config]") {
    for (const std::string text : {"dns:a.example", "dns:*.example", "email:A@b.example",
                                   "uri:spiffe://A/b", "ip:192.0.2.1", "ip:2001:db8::1"}) {
        CHECK(to_string(parse_alternative_name(text)) == text);
        CHECK(parse_alternative_name(to_string(parse_alternative_name(text))) ==
              parse_alternative_name(text));
    }
    CHECK(to_string(parse_alternative_name("dns:*.A.Example")) == "dns:*.a.example");
}

TEST_CASE("what is no alternative name is refused with the reason", "[config]") {
    const std::string forms =
        R"(want "dns:HOST", "email:ADDRESS", "uri:URI" or "ip:ADDRESS", got )";
    for (const std::string text : {"", "backup.example.com", "DNS:a", "ip", "*"})
        CHECK(why_not(text) == forms + "\"" + text + "\"");
    for (const std::string host :
         {"", ".", "a..b", ".a", "a.", "*", "*.", "*a.b", "a.*", "a*.b", "*.*.b", "a b", "a/b",
          "\xC3\xA4.example", "a:1"})
        CHECK(why_not("dns:" + host).find("want a host name of letters, digits and hyphens") == 0);
    CHECK(why_not("dns:" + std::string(63, 'a')).empty());
    CHECK_FALSE(why_not("dns:" + std::string(64, 'a')).empty());
    std::string long_host;
    while (long_host.size() < 253)
        long_host += "a.";
    CHECK(why_not("dns:" + long_host.substr(0, 253)).empty());
    CHECK_FALSE(why_not("dns:aa." + long_host.substr(0, 253)).empty());
    for (const std::string mail : {"", "a", "@b", "a@", "a@b c", "a @b", "a@*"})
        CHECK(why_not("email:" + mail).find("want a mail address") == 0);
    for (const std::string uri : {"", "a", "a:\x01", "a: b"})
        CHECK(why_not("uri:" + uri).find("want a URI of printable ASCII") == 0);
    for (const std::string ip : {"", "1.2.3", "10.0.0.0/8", "[::1]", "localhost"})
        CHECK(why_not("ip:" + ip).find("want an IP address behind") == 0);
}
