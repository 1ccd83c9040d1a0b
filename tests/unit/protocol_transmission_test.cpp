#include "protocol/transmission.hpp"
#include "tests/support/bytes.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

namespace interposed::protocol {

using tests::bytes;

TEST_CASE("a request is twenty-eight bytes in network order", "[protocol]") {
    const Bytes in = bytes({0x25, 0x60, 0x95, 0x13, 0x00, 0x01, 0x00, 0x01, //
                            1,    2,    3,    4,    5,    6,    7,    8,    //
                            0,    0,    0,    0,    0,    0,    0x10, 0,    //
                            0,    0,    2,    0});
    const auto request = decode_request(Framing::simple, in.data());
    REQUIRE(request);
    CHECK(request->command == Command::write);
    CHECK(request->has(command_flag::fua));
    CHECK(request->cookie == 0x0102030405060708);
    CHECK(request->offset == 4096);
    CHECK(request->length == 512);
}

TEST_CASE("a request without the magic is none", "[protocol]") {
    const Bytes in(28, std::byte{'Q'});
    CHECK_FALSE(decode_request(Framing::simple, in.data()));
    CHECK_FALSE(decode_request(Framing::extended, in.data()));
}

TEST_CASE("a simple reply is sixteen bytes", "[protocol]") {
    Bytes out(simple_reply_size);
    encode_simple_reply(out.data(), 0xa1b2c3d4e5f60718, WireError::eio);
    CHECK(out == bytes({0x67, 0x44, 0x66, 0x98, 0, 0, 0, 5, //
                        0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6, 0x07, 0x18}));
}

TEST_CASE("a data chunk says where its data lie and that it is the last", "[protocol]") {
    Bytes out(data_chunk_size(Framing::structured));
    encode_data_chunk(out.data(), {.cookie = 9}, 4096, 512);
    CHECK(out == bytes({0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 1, 0, 0, 0,    0, 0, 0, 0, 9, //
                        0,    0,    2,    8,    0, 0, 0, 0, 0, 0, 0x10, 0}));
}

TEST_CASE("an error chunk carries number, text, and the offset where one is known", "[protocol]") {
    Bytes plain;
    append_error_chunk(plain, {.cookie = 1}, WireError::einval, "no", std::nullopt);
    CHECK(plain == bytes({0x66, 0x8e, 0x33, 0xef, 0, 1, 0x80, 1,  0, 0, 0,   0,  0, 0, 0, 1, //
                          0,    0,    0,    8,    0, 0, 0,    22, 0, 2, 'n', 'o'}));
    Bytes placed;
    append_error_chunk(placed, {.cookie = 1}, WireError::eio, "", 512);
    CHECK(placed == bytes({0x66, 0x8e, 0x33, 0xef, 0, 1, 0x80, 2, 0, 0, 0, 0, 0, 0, 0, 1, //
                           0,    0,    0,    14,   0, 0, 0,    5, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0}));
}

TEST_CASE("an error text never exceeds what the protocol allows", "[protocol]") {
    Bytes out;
    append_error_chunk(out, {.cookie = 1}, WireError::eio, std::string(5000, 'x'), std::nullopt);
    CHECK(out.size() == chunk_header_size(Framing::structured) + 6 + 4096);
}

TEST_CASE("a status chunk names its context and its runs", "[protocol]") {
    Bytes out;
    const StatusDescriptor runs[] = {{4096, 3}, {512, 0}};
    append_status_chunk(out, {.cookie = 2}, 1, runs);
    CHECK(out ==
          bytes({0x66, 0x8e, 0x33, 0xef, 0, 1, 0,    5, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 20, //
                 0,    0,    0,    1,    0, 0, 0x10, 0, 0, 0, 0, 3, 0, 0, 2, 0, 0, 0, 0, 0}));
}

TEST_CASE("an extended request is thirty-two bytes, with a length of 64 bits", "[protocol]") {
    const Bytes in = bytes({0x21, 0xe4, 0x1c, 0x71, 0x00, 0x20, 0x00, 0x01, //
                            1,    2,    3,    4,    5,    6,    7,    8,    //
                            0,    0,    0,    0,    0,    0,    0x10, 0,    //
                            1,    0,    0,    0,    0,    0,    2,    0});
    const auto request = decode_request(Framing::extended, in.data());
    REQUIRE(request);
    CHECK(request->command == Command::write);
    CHECK(request->offset == 4096);
    CHECK(request->length == 0x0100000000000200);
    CHECK(has_payload(Framing::extended, *request));
    CHECK_FALSE(decode_request(Framing::simple, in.data()));
}

TEST_CASE("only a flag says that an extended request has a payload", "[protocol]") {
    CHECK_FALSE(has_payload(Framing::extended, {.command = Command::write}));
    CHECK(has_payload(Framing::simple, {.command = Command::write}));
    const Request unusual{.command = Command::trim, .flags = command_flag::payload_len};
    CHECK(has_payload(Framing::extended, unusual));
    CHECK_FALSE(has_payload(Framing::structured, unusual));
}

TEST_CASE("an extended chunk repeats the offset of its request", "[protocol]") {
    Bytes out(data_chunk_size(Framing::extended));
    const ChunkOf part{
        .framing = Framing::extended, .cookie = 9, .request_offset = 4096, .last = false};
    encode_data_chunk(out.data(), part, 8192, 512);
    CHECK(out == bytes({0x6e, 0x8a, 0x27, 0x8c, 0, 0, 0,    1, 0, 0, 0, 0, 0, 0, 0, 9, //
                        0,    0,    0,    0,    0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 2, 8, //
                        0,    0,    0,    0,    0, 0, 0x20, 0}));
}

TEST_CASE("a hole takes twelve bytes whatever its length", "[protocol]") {
    Bytes out;
    append_hole_chunk(out, {.cookie = 9}, 4096, 1U << 25);
    CHECK(out == bytes({0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 2, 0, 0, 0,    0, 0, 0, 0, 9, //
                        0,    0,    0,    12,   0, 0, 0, 0, 0, 0, 0x10, 0, 2, 0, 0, 0}));
}

TEST_CASE("an extended status chunk counts its runs, of 64 bits each", "[protocol]") {
    Bytes out;
    const StatusDescriptor run{.length = 1ULL << 40, .flags = 3};
    append_status_chunk(out, {.framing = Framing::extended, .cookie = 2, .request_offset = 1}, 7,
                        std::span(&run, 1));
    CHECK(out == bytes({0x6e, 0x8a, 0x27, 0x8c, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0, 0, 2,  //
                        0,    0,    0,    0,    0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 24, //
                        0,    0,    0,    7,    0, 0, 0, 1,                          //
                        0,    0,    1,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3}));
    CHECK(out.size() == status_chunk_size(Framing::extended, 1));
}

TEST_CASE("a status query is a length and some contexts", "[protocol]") {
    const auto query = decode_status_query(bytes({0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 1}));
    REQUIRE(query);
    CHECK(query->length == 1ULL << 32);
    REQUIRE(query->count == 2);
    CHECK(query->contexts[0] == 2);
    CHECK(query->contexts[1] == 1);
    CHECK_FALSE(decode_status_query(Bytes(7)));
    CHECK_FALSE(decode_status_query(Bytes(10)));
    CHECK_FALSE(decode_status_query(Bytes(StatusQuery::max_size + 4)));
}

TEST_CASE("only numbers the protocol knows go over the wire", "[protocol]") {
    CHECK(to_wire(0) == WireError::none);
    CHECK(to_wire(EROFS) == WireError::eperm);
    CHECK(to_wire(EACCES) == WireError::eperm);
    CHECK(to_wire(EDQUOT) == WireError::enospc);
    CHECK(to_wire(EFBIG) == WireError::enospc);
    CHECK(to_wire(EIO) == WireError::eio);
    CHECK(to_wire(ENOMEM) == WireError::eio);
    CHECK(to_wire(EREMOTEIO) == WireError::eio);
    CHECK(to_wire(EOPNOTSUPP) == WireError::eio);
    CHECK(to_wire(ESHUTDOWN) == WireError::eshutdown);
}

} // namespace interposed::protocol
