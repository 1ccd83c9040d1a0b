#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::string file_with(const std::string& tls, const std::string& listen = "\"tcp://h\"",
                      const std::string& member = "\"read_only\": false") {
    return "{\"listen\": [" + listen + "], \"exports\": [{\"name\": \"a\", " + member +
           ", \"table\": [{\"kind\": \"linear\", \"device\": \"/dev/sdb\"}]}]" +
           (tls.empty() ? "" : ",\n\"tls\": " + tls) + "}";
}

Tls tls_of(const std::string& text) {
    return parse(file_with(text), "f", "/conf").tls.value();
}

} // namespace

TEST_CASE("TLS is off unless asked for, and then required of everybody", "[config]") {
    CHECK_FALSE(parse(file_with(""), "f", "/conf").tls);
    const Tls tls = tls_of(R"({"certificate": "c.pem", "key": "/k.pem"})");
    CHECK(tls.mode == TlsMode::require);
    CHECK(tls.certificate == "/conf/c.pem");
    CHECK(tls.key == "/k.pem");
    CHECK(tls.min_version == TlsVersion::tls_1_2);
    CHECK(tls.place.line == 2);
}

TEST_CASE("clients' certificates are required once there is who signs them", "[config]") {
    const Tls tls =
        tls_of(R"({"certificate": "c", "key": "k", "ca": "a", "crl": "l", "mode": "offer"})");
    CHECK(tls.ca == "/conf/a");
    CHECK(tls.crl == "/conf/l");
    CHECK(tls.client_certificate_required);
    CHECK(tls.mode == TlsMode::offer);
    CHECK_FALSE(
        tls_of(R"({"certificate": "c", "key": "k", "ca": "a", "client_certificates": "request"})")
            .client_certificate_required);
}

TEST_CASE("pre-shared keys need no certificate", "[config]") {
    const Tls tls = tls_of(R"({"psk": "keys.psk", "min_version": "1.3"})");
    CHECK(tls.psk == "/conf/keys.psk");
    CHECK(tls.min_version == TlsVersion::tls_1_3);
}

TEST_CASE("keys of \"tls\" that mean nothing alone are refused", "[config]") {
    CHECK(report(file_with("{}")) ==
          "f:2:8: tls: want \"certificate\" and \"key\", or \"psk\", or all three, got none");
    CHECK(report(file_with(R"({"psk": "p", "key": "k"})")) ==
          "f:2:8: tls: want \"certificate\" and \"key\" together, got only \"key\"");
    CHECK(report(file_with(R"({"psk": "p", "ca": "a"})")) ==
          "f:2:27: tls.ca: \"ca\" verifies clients' certificates: it goes with \"certificate\"");
    CHECK(report(file_with(R"({"psk": "p", "crl": "a"})")) ==
          "f:2:28: tls.crl: \"crl\" goes with \"ca\"");
}

TEST_CASE("what is wrong with \"tls\" is said with its place", "[config]") {
    CHECK(report(file_with(R"({"psk": "p", "mode": "required"})")) ==
          "f:2:29: tls.mode: want \"off\" or \"offer\" or \"require\", got \"required\"; did you "
          "mean \"require\"?");
    CHECK(report(file_with(R"({"psk": "p", "min_version": "1.1"})"))
              .find("want \"1.2\" or \"1.3\", got \"1.1\"") != std::string::npos);
    CHECK(report(file_with(R"({"psk": ""})")) ==
          "f:2:16: tls.psk: want the path of a file, got \"\"");
    CHECK(report(file_with(R"({"psk": "p", "cert": "c"})")).find("unknown key \"cert\"") !=
          std::string::npos);
}

TEST_CASE("a listener and an export may say more of TLS than all", "[config]") {
    const auto found =
        parse(file_with(R"({"psk": "p"})", R"({"unix": "s", "tls": "off"}, "tcp://h")",
                        R"("tls": "require")"),
              "f", "/conf");
    CHECK(found.listen.at(0).tls == TlsMode::off);
    CHECK_FALSE(found.listen.at(1).tls);
    CHECK(found.exports.at(0).requires_tls);
    const Export again = parse_export(to_json(found.exports.at(0)), "f", "/conf");
    CHECK(again == found.exports.at(0));
}

TEST_CASE("nobody can ask for TLS where there is no certificate and no key", "[config]") {
    CHECK(report(file_with("", R"({"tcp": "h", "tls": "offer"})")) ==
          "f:1:13: listen[0]: the listener is to speak TLS: want \"tls\" at the top level, with a "
          "certificate or keys, got none");
    CHECK(report(file_with("", R"("tcp://h")", R"("tls": "require")"))
              .find("the export requires TLS: want \"tls\" at the top level") != std::string::npos);
    CHECK(report(file_with("", R"({"tcp": "h", "tls": "off"})")).empty());
}
