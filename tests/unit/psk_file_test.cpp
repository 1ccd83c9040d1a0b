#include "server/psk_file.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

namespace interposed::server {

namespace {

const std::string key = "000102030405060708090a0b0c0d0e0f";

std::string refusal(const std::string& text) {
    try {
        parse_psk_file(text);
        return {};
    } catch (const std::runtime_error& why) {
        return why.what();
    }
}

} // namespace

TEST_CASE("a file of pre-shared keys has an identity and a key in each line", "[server]") {
    const auto table = parse_psk_file("alice:" + key + "\n\nbob:FF" + key + "\r\n");
    REQUIRE(table.size() == 2);
    CHECK(table.at("alice").size() == 16);
    CHECK(table.at("alice").at(10) == 10);
    CHECK(table.at("bob").front() == 0xff);
}

TEST_CASE("an identity may have colons, and be in hexadecimal behind a #", "[server]") {
    const auto table = parse_psk_file("a:b:" + key + "\n#616c:" + key);
    CHECK(table.contains("a:b"));
    CHECK(table.contains("al"));
}

TEST_CASE("a file of pre-shared keys that is wrong is refused with the line, and without a key",
          "[server]") {
    CHECK(refusal("") == "want at least one line of \"identity:key\", found none");
    CHECK(refusal("alice:" + key + "\nbob") ==
          "line 2: want \"identity:key in hexadecimal\", found no colon");
    CHECK(refusal("alice:xyz") == "line 1: want a key in hexadecimal, found something else");
    CHECK(refusal("alice:abc") == "line 1: want a key in hexadecimal, found something else");
    CHECK(refusal("alice:0011") == "line 1: want a key of 16 to 256 bytes, found 2");
    CHECK(refusal(":" + key) == "line 1: want an identity of 1 to 256 bytes, found 0");
    CHECK(refusal("#6:" + key) ==
          "line 1: want an identity in hexadecimal behind the '#', found something else");
    CHECK(refusal("#6100:" + key) == "line 1: want an identity without NUL bytes, found one");
    CHECK(refusal("a:" + key + "\na:" + key) ==
          "line 2: want each identity once, found one a second time");
}

} // namespace interposed::server
