#include "protocol/handshake.hpp"
#include "tests/support/bytes.hpp"

#include <catch2/catch.hpp>
#include <string>

namespace interposed::protocol {

using tests::bytes;
using tests::wire;

namespace {

std::optional<ClientFlags> flags_of(const Bytes& in) {
    return decode_client_flags(std::span<const std::byte, client_flags_size>(in));
}

std::optional<InfoRequest> info_request(const Bytes& in) {
    return decode_info_request(in);
}

std::optional<MetaContextRequest> meta_request(const Bytes& in) {
    return decode_meta_context_request(in);
}

} // namespace

TEST_CASE("the greeting is eighteen literal bytes", "[protocol]") {
    const auto greeting = encode_greeting();
    CHECK(Bytes(greeting.begin(), greeting.end()) ==
          bytes({0x4e, 0x42, 0x44, 0x4d, 0x41, 0x47, 0x49, 0x43, // NBDMAGIC
                 0x49, 0x48, 0x41, 0x56, 0x45, 0x4f, 0x50, 0x54, // IHAVEOPT
                 0x00, 0x03}));
}

TEST_CASE("client flags that were not offered are refused", "[protocol]") {
    CHECK(flags_of(bytes({0, 0, 0, 0})));
    CHECK(flags_of(bytes({0, 0, 0, 3}))->fixed_newstyle);
    CHECK_FALSE(flags_of(bytes({0, 0, 0, 1}))->no_zeroes);
    CHECK_FALSE(flags_of(bytes({0, 0, 0, 0x0b})));
    CHECK_FALSE(flags_of(bytes({0x80, 0, 0, 3})));
}

TEST_CASE("an option header is read only behind its magic", "[protocol]") {
    const Bytes good = wire().text("IHAVEOPT").u32(7).u32(99);
    const auto header = decode_option_header(std::span<const std::byte, option_header_size>(good));
    REQUIRE(header);
    CHECK(header->option == Option::go);
    CHECK(header->length == 99);

    const Bytes bad = wire().text("IHAVEOPX").u32(7).u32(99);
    CHECK_FALSE(decode_option_header(std::span<const std::byte, option_header_size>(bad)));
}

TEST_CASE("an info request is name and wishes, to the last byte", "[protocol]") {
    const Bytes data = wire().u32(4).text("disk").u16(2).u16(3).u16(0x1234);
    const auto request = decode_info_request(data);
    REQUIRE(request);
    CHECK(request->name == "disk");
    CHECK(request->wants(Info::block_size));
    CHECK_FALSE(request->wants(Info::name));
}

TEST_CASE("an info request whose lengths do not agree is malformed", "[protocol]") {
    CHECK_FALSE(info_request({}));
    CHECK_FALSE(info_request(bytes({0, 0})));
    CHECK_FALSE(info_request(wire().u32(5).text("disk").u16(0)));
    CHECK_FALSE(info_request(wire().u32(0xffffffff).text("disk").u16(0)));
    CHECK_FALSE(info_request(wire().u32(4).text("disk").u16(1)));
    CHECK_FALSE(info_request(wire().u32(4).text("disk").u16(0).text("zz")));
}

TEST_CASE("a meta context request is a name and queries, to the last byte", "[protocol]") {
    const Bytes data = wire().u32(1).text("x").u32(2).u32(5).text("base:").u32(0);
    const auto request = decode_meta_context_request(data);
    REQUIRE(request);
    CHECK(request->name == "x");
    CHECK(request->queries == std::vector<std::string_view>{"base:", ""});
}

TEST_CASE("a meta context request whose lengths do not agree is malformed", "[protocol]") {
    CHECK_FALSE(meta_request({}));
    CHECK_FALSE(meta_request(wire().u32(1).text("x").u32(1)));
    CHECK_FALSE(meta_request(wire().u32(1).text("x").u32(1).u32(6).text("base:")));
    CHECK_FALSE(meta_request(wire().u32(1).text("x").u32(0xffffffff).u32(0)));
    CHECK_FALSE(meta_request(wire().u32(1).text("x").u32(0).text("y")));
}

TEST_CASE("protocol strings are well-formed UTF-8 without NUL, at most 4096 bytes", "[protocol]") {
    CHECK(is_protocol_string(""));
    CHECK(is_protocol_string("d\xc3\xa9j\xc3\xa0 \xe2\x82\xac \xf0\x9f\x92\xbe"));
    CHECK(is_protocol_string(std::string(4096, 'a')));
    CHECK_FALSE(is_protocol_string(std::string(4097, 'a')));
    CHECK_FALSE(is_protocol_string(std::string_view("a\0b", 3)));
    CHECK_FALSE(is_protocol_string("\xc3"));             // cut off
    CHECK_FALSE(is_protocol_string("\xc0\xaf"));         // overlong
    CHECK_FALSE(is_protocol_string("\xe0\x80\xaf"));     // overlong
    CHECK_FALSE(is_protocol_string("\xed\xa0\x80"));     // surrogate
    CHECK_FALSE(is_protocol_string("\xf4\x90\x80\x80")); // beyond U+10FFFF
    CHECK_FALSE(is_protocol_string("\x80"));
}

TEST_CASE("option replies carry magic, option, type, length and data", "[protocol]") {
    Bytes out;
    append_option_error(out, Option::list, OptionReply::err_policy, "no");
    CHECK(out == bytes({0x00, 0x03, 0xe8, 0x89, 0x04, 0x55, 0x65, 0xa9, 0,   0,  0, 3, //
                        0x80, 0,    0,    2,    0,    0,    0,    2,    'n', 'o'}));
}

TEST_CASE("info replies have the lengths the protocol gives them", "[protocol]") {
    Bytes out;
    append_info_export(out, Option::go, 0x0102030405060708, 0x1ed);
    CHECK(out == bytes({0x00, 0x03, 0xe8, 0x89, 0x04, 0x55, 0x65, 0xa9, 0, 0, 0, 7, //
                        0,    0,    0,    3,    0,    0,    0,    12,   0, 0, 1, 2,
                        3,    4,    5,    6,    7,    8,    1,    0xed}));
    out.clear();
    append_info_block_size(out, Option::go, 1, 4096, 1U << 25);
    CHECK(out.size() == 20 + 14);
}

TEST_CASE("the answer to EXPORT_NAME has its zeroes only for those who want them", "[protocol]") {
    Bytes with;
    append_export_name_reply(with, 1024, 5, true);
    Bytes without;
    append_export_name_reply(without, 1024, 5, false);
    CHECK(with.size() == 134);
    CHECK(without == bytes({0, 0, 0, 0, 0, 0, 4, 0, 0, 5}));
}

} // namespace interposed::protocol
