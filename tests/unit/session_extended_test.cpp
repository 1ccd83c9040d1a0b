#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

// Conversations in extended headers, and what only some clients ask for.
namespace interposed::tests {

namespace {

constexpr std::uint16_t payload_len = 0x20;
constexpr std::uint16_t fast_zero = 0x10;
constexpr std::uint16_t cmd_read = 0;
constexpr std::uint16_t cmd_write = 1;
constexpr std::uint16_t cmd_flush = 3;
constexpr std::uint16_t cmd_trim = 4;
constexpr std::uint16_t cmd_cache = 5;
constexpr std::uint16_t cmd_write_zeroes = 6;
constexpr std::uint16_t cmd_block_status = 7;

constexpr std::uint16_t chunk_none = 0;
constexpr std::uint16_t chunk_data = 1;
constexpr std::uint16_t chunk_hole = 2;
constexpr std::uint16_t chunk_status = 6;
constexpr std::uint16_t chunk_error = 0x8001;

Bytes extended_request(std::uint16_t flags, std::uint16_t command, std::uint64_t cookie,
                       std::uint64_t offset, std::uint64_t length) {
    return wire().u32(0x21e41c71).u16(flags).u16(command).u64(cookie).u64(offset).u64(length);
}

Bytes extended_chunk(std::uint16_t type, std::uint64_t cookie, std::uint64_t offset,
                     const Bytes& payload = {}, bool last = true) {
    return wire()
        .u32(0x6e8a278c)
        .u16(last ? 1 : 0)
        .u16(type)
        .u64(cookie)
        .u64(offset)
        .u64(payload.size())
        .raw(payload);
}

/// Two devices as one export, the first of which zeroes fast and the second not.
struct World {
    static constexpr std::size_t half = std::size_t{1} << 20;

    World() {
        first->set_zeroes_fast(true);
        server = std::make_unique<TestServer>(std::vector<std::shared_ptr<const server::Export>>{
            memory_export("disk", {first, second})});
    }

    /// Into transmission, with both contexts.
    void go(ScriptedClient& client) const {
        client.expect(greeting()).send(wire().raw(client_flags()).raw(option(11)));
        client.expect(option_reply(11, 1));
        client.send(option(10, wire()
                                   .u32(4)
                                   .text("disk")
                                   .u32(2)
                                   .u32(15)
                                   .text("base:allocation")
                                   .u32(21)
                                   .text("qemu:allocation-depth")));
        client.expect(option_reply(10, 4, wire().u32(1).text("base:allocation")))
            .expect(option_reply(10, 4, wire().u32(2).text("qemu:allocation-depth")))
            .expect(option_reply(10, 1));
        client.send(option(7, info_data("disk")));
        client.expect(option_reply(7, 3, wire().u16(0).u64(2 * half).u16(0x1ded)))
            .expect(option_reply(7, 3, wire().u16(3).u32(1).u32(4096).u32(1U << 25)))
            .expect(option_reply(7, 1));
    }

    std::shared_ptr<MemoryDevice> first = std::make_shared<MemoryDevice>(half);
    std::shared_ptr<MemoryDevice> second = std::make_shared<MemoryDevice>(half);
    std::unique_ptr<TestServer> server;
};

/// Says what was wrong in an error chunk, after its header.
std::uint32_t error_of(ScriptedClient& client, std::uint64_t cookie, std::uint64_t offset) {
    const Bytes header = client.receive(32);
    CHECK(Bytes(header.begin(), header.begin() + 24) ==
          Bytes(wire().u32(0x6e8a278c).u16(1).u16(chunk_error).u64(cookie).u64(offset)));
    const Bytes rest = client.receive(protocol::load_be<std::uint64_t>(header.data() + 24));
    return protocol::load_be<std::uint32_t>(rest.data());
}

} // namespace

TEST_CASE("extended requests are answered with extended chunks only", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    client
        .send(wire()
                  .raw(extended_request(payload_len, cmd_write, 1, 4000, 200))
                  .fill(200, std::byte{0xab}))
        .expect(extended_chunk(chunk_none, 1, 4000))
        .send(extended_request(0, cmd_read, 2, 4000, 2))
        .expect(extended_chunk(chunk_data, 2, 4000, wire().u64(4000).fill(2, std::byte{0xab})))
        .send(extended_request(0, cmd_flush, 3, 0, 0))
        .expect(extended_chunk(chunk_none, 3, 0))
        .send(extended_request(0, cmd_cache, 4, 0, 2 * World::half))
        .expect(extended_chunk(chunk_none, 4, 0))
        .send(extended_request(0, cmd_read, 5, 0, 0))
        .expect(extended_chunk(chunk_none, 5, 0));
}

TEST_CASE("an extended status answers for every context about the same range", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    const auto allocation = wire().u32(1).u32(1).u64(2 * World::half - 512).u64(0);
    const auto depth = wire().u32(2).u32(1).u64(2 * World::half - 512).u64(1);
    client.send(extended_request(0, cmd_block_status, 1, 512, 2 * World::half - 512))
        .expect(extended_chunk(chunk_status, 1, 512, allocation, false))
        .expect(extended_chunk(chunk_status, 1, 512, depth));
    client
        .send(wire()
                  .raw(extended_request(payload_len, cmd_block_status, 2, 512, 12))
                  .u64(2 * World::half - 512)
                  .u32(2))
        .expect(extended_chunk(chunk_status, 2, 512, depth));
}

TEST_CASE("a status query for contexts that were not selected is refused", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    const auto ids = GENERATE(std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{3},
                              std::vector<std::uint32_t>{0}, std::vector<std::uint32_t>{1, 1},
                              std::vector<std::uint32_t>(100, 1));
    auto query = wire().u64(512);
    for (const std::uint32_t id : ids)
        query.u32(id);
    const Bytes payload = query;
    client.send(wire()
                    .raw(extended_request(payload_len, cmd_block_status, 1, 0, payload.size()))
                    .raw(payload));
    CHECK(error_of(client, 1, 0) == EINVAL);
    client.send(extended_request(0, cmd_flush, 2, 0, 0)).expect(extended_chunk(chunk_none, 2, 0));
}

TEST_CASE("a payload where none belongs is taken off the wire and refused", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    client.send(wire().raw(extended_request(payload_len, cmd_trim, 1, 0, 5)).text("12345"));
    CHECK(error_of(client, 1, 0) == EINVAL);
    client.send(extended_request(0, cmd_write, 2, 0, 512)); // and one that lacks its payload
    CHECK(error_of(client, 2, 0) == EINVAL);
    client.send(extended_request(0, cmd_flush, 3, 0, 0)).expect(extended_chunk(chunk_none, 3, 0));
}

TEST_CASE("an extended payload beyond the maximum ends the connection", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    client.send(extended_request(payload_len, cmd_write, 1, 0, (1ULL << 25) + 1)).expect_end();
}

TEST_CASE("a compact request after extended headers ends the connection", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    client.send(wire().raw(request(0, cmd_read, 1, 0, 512)).u32(0)).expect_end();
}

TEST_CASE("FAST_ZERO across a slow segment changes nothing", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    std::fill(world.first->bytes().begin(), world.first->bytes().end(), std::byte{0xab});
    client.send(extended_request(fast_zero, cmd_write_zeroes, 1, World::half - 512, 1024));
    CHECK(error_of(client, 1, World::half - 512) == 95);
    CHECK(world.first->bytes().back() == std::byte{0xab});
    client.send(extended_request(fast_zero, cmd_write_zeroes, 2, World::half - 512, 512))
        .expect(extended_chunk(chunk_none, 2, World::half - 512));
    CHECK(world.first->bytes().back() == std::byte{0});
    client.send(extended_request(0, cmd_write_zeroes, 3, World::half - 512, 1024))
        .expect(extended_chunk(chunk_none, 3, World::half - 512));
}

TEST_CASE("large reads tell of holes, unless they may not be fragmented", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    world.go(client);
    world.first->set_hole({65536, 131072});
    std::fill_n(world.first->bytes().begin(), 65536, std::byte{0xab});
    client.send(extended_request(0, cmd_read, 1, 0, 262144))
        .expect(extended_chunk(chunk_data, 1, 0, wire().u64(0).fill(65536, std::byte{0xab}), false))
        .expect(extended_chunk(chunk_hole, 1, 0, wire().u64(65536).u32(131072), false))
        .expect(extended_chunk(chunk_data, 1, 0, wire().u64(196608).zeroes(65536)));
    client.send(extended_request(0, cmd_read, 2, 65536, 131072))
        .expect(extended_chunk(chunk_hole, 2, 65536, wire().u64(65536).u32(131072)));
    constexpr std::uint16_t df = 4;
    client.send(extended_request(df, cmd_read, 3, 65536, 131072))
        .expect(extended_chunk(chunk_data, 3, 65536, wire().u64(65536).zeroes(131072)));
}

} // namespace interposed::tests
