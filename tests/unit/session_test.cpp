#include "tests/support/scripted_client.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>

// Whole conversations over a socketpair, with devices in memory.
namespace interposed::tests {

namespace {

constexpr std::uint16_t flags = 0x0d6d;    // of a writable export, without structured replies
constexpr std::uint16_t df_flags = 0x0ded; // with them
constexpr std::uint16_t cmd_read = 0;
constexpr std::uint16_t cmd_write = 1;
constexpr std::uint16_t cmd_disc = 2;
constexpr std::uint16_t cmd_flush = 3;
constexpr std::uint16_t cmd_trim = 4;
constexpr std::uint16_t cmd_cache = 5;
constexpr std::uint16_t cmd_write_zeroes = 6;
constexpr std::uint16_t cmd_block_status = 7;

/// Two devices of 4096 bytes as one export of 8192, and a second, read-only export.
struct World {
    World() {
        auto read_only_export = memory_export("ro", {read_only});
        read_only_export->read_only = true;
        server = std::make_unique<TestServer>(std::vector<std::shared_ptr<const server::Export>>{
            memory_export("disk", {first, second}), read_only_export});
    }

    std::shared_ptr<MemoryDevice> first = std::make_shared<MemoryDevice>(4096);
    std::shared_ptr<MemoryDevice> second = std::make_shared<MemoryDevice>(4096);
    std::shared_ptr<MemoryDevice> read_only = std::make_shared<MemoryDevice>(4096);
    std::unique_ptr<TestServer> server;
};

Bytes filled(std::size_t count, unsigned value) {
    return Bytes(count, static_cast<std::byte>(value));
}

Bytes data_chunk(std::uint64_t cookie, std::uint64_t offset, const Bytes& data) {
    return wire()
        .u32(0x668e33ef)
        .u16(1)
        .u16(1)
        .u64(cookie)
        .u32(static_cast<std::uint32_t>(8 + data.size()))
        .u64(offset)
        .raw(data);
}

/// Into transmission with structured replies, and base:allocation if wanted.
void go_structured(ScriptedClient& client, bool with_context) {
    client.expect(greeting()).send(wire().raw(client_flags()).raw(option(8)));
    client.expect(option_reply(8, 1));
    if (with_context) {
        client.send(option(10, wire().u32(4).text("disk").u32(1).u32(15).text("base:allocation")));
        client.expect(option_reply(10, 4, wire().u32(1).text("base:allocation")));
        client.expect(option_reply(10, 1));
    }
    client.send(option(7, info_data("disk")));
    client.expect(option_reply(7, 3, wire().u16(0).u64(8192).u16(df_flags)))
        .expect(option_reply(7, 3, wire().u16(3).u32(1).u32(4096).u32(1U << 25)))
        .expect(option_reply(7, 1));
}

} // namespace

TEST_CASE("what is written is read back, across the border of two devices", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(wire().raw(request(0, cmd_write, 1, 4000, 200)).raw(filled(200, 0xab)))
        .expect(simple_reply(1))
        .send(request(0, cmd_read, 2, 3999, 202))
        .expect(wire().raw(simple_reply(2)).u8(0).fill(200, std::byte{0xab}).u8(0));
    CHECK(world.first->bytes()[4095] == std::byte{0xab});
    CHECK(world.second->bytes()[103] == std::byte{0xab});
    CHECK(world.second->bytes()[104] == std::byte{0});
}

TEST_CASE("requests sent together are all answered", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    Wire script;
    Wire answers;
    for (std::uint64_t i = 0; i < 100; ++i) {
        script.raw(request(0, cmd_read, i, i * 8, 8));
        answers.raw(simple_reply(i)).zeroes(8);
    }
    client.send(script).expect(answers);
}

TEST_CASE("bytes may come one at a time", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    const Bytes script = wire()
                             .raw(client_flags())
                             .raw(option(3))
                             .raw(option(1, wire().text("disk")))
                             .raw(request(0, cmd_write, 1, 0, 4))
                             .text("abcd")
                             .raw(request(0, cmd_read, 2, 0, 4));
    for (const std::byte each : script)
        client.send({each});
    client.expect(greeting())
        .expect(wire()
                    .raw(option_reply(3, 2, wire().u32(4).text("disk")))
                    .raw(option_reply(3, 2, wire().u32(2).text("ro")))
                    .raw(option_reply(3, 1)))
        .expect(wire().u64(8192).u16(flags))
        .expect(simple_reply(1))
        .expect(wire().raw(simple_reply(2)).text("abcd"));
}

TEST_CASE("a client may leave at any byte", "[server]") {
    World world;
    const Bytes script = wire()
                             .raw(client_flags())
                             .raw(option(8))
                             .raw(option(7, info_data("disk")))
                             .raw(request(0, cmd_write, 1, 0, 64))
                             .zeroes(64)
                             .raw(request(0, cmd_read, 2, 0, 64))
                             .raw(request(0, cmd_flush, 3, 0, 0))
                             .raw(request(0, cmd_disc, 4, 0, 0));
    for (std::size_t length = 0; length <= script.size(); ++length) {
        ScriptedClient client(*world.server);
        client.send(Bytes(script.begin(), script.begin() + static_cast<std::ptrdiff_t>(length)));
        client.leave();
        client.wait_for_end();
    }
    CHECK(world.server->loop().sessions() == 0);
}

TEST_CASE("a client that only stops sending still gets every answer", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(request(0, cmd_read, 1, 0, 8)).half_close();
    world.first->wait_for(1);
    world.first->release();
    client.expect(wire().raw(simple_reply(1)).zeroes(8)).expect_end();
}

TEST_CASE("DISC is not answered, but everything before it is", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(wire()
                    .raw(request(0, cmd_read, 1, 0, 8))
                    .raw(request(0, cmd_disc, 2, 77, 88))
                    .text("ignored"));
    world.first->wait_for(1);
    world.first->release();
    client.expect(wire().raw(simple_reply(1)).zeroes(8)).expect_end();
}

TEST_CASE("replies come in the order in which requests finish", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(wire().raw(request(0, cmd_read, 1, 0, 8)).raw(request(0, cmd_read, 2, 8, 8)));
    world.first->wait_for(2);
    world.first->answer_one(true);
    client.expect(wire().raw(simple_reply(2)).zeroes(8));
    world.first->answer_one();
    client.expect(wire().raw(simple_reply(1)).zeroes(8));
}

TEST_CASE("a slow request does not hold up those behind it", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(wire().raw(request(0, cmd_read, 1, 0, 8)).raw(request(0, cmd_read, 2, 4096, 8)));
    client.expect(wire().raw(simple_reply(2)).zeroes(8));
    world.first->release();
    client.expect(wire().raw(simple_reply(1)).zeroes(8));
}

TEST_CASE("after stop() what was accepted is answered, then the connection closes", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(wire().raw(request(0, cmd_write, 1, 0, 4)).text("data"));
    world.first->wait_for(1);
    client.connection().stop();
    world.first->release();
    client.expect(simple_reply(1)).expect_end();
    CHECK(world.first->bytes()[0] == std::byte{'d'});
}

TEST_CASE("stop() ends a client that is still haggling", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    client.expect(greeting());
    client.connection().stop();
    client.expect_end();
}

TEST_CASE("after abort() requests in flight are waited for, not answered", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    client.send(request(0, cmd_read, 1, 0, 8));
    world.first->wait_for(1);
    client.connection().abort();
    client.expect_end();
    world.first->release();
    client.wait_for_end();
}

TEST_CASE("a client that vanishes with requests in flight leaves nothing behind", "[server]") {
    World world;
    {
        ScriptedClient client(*world.server);
        choose(client, "disk", 8192, flags);
        world.first->hold();
        for (std::uint64_t i = 0; i < 50; ++i)
            client.send(request(0, cmd_read, i, 0, 4096));
        world.first->wait_for(50);
        client.leave();
        world.first->release();
        client.wait_for_end();
    }
    CHECK(world.server->loop().sessions() == 0);
}

TEST_CASE("no more requests are taken than the limit, and none is lost", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    world.first->hold();
    const std::uint64_t count = server::Session::max_in_flight + 100;
    Wire script;
    for (std::uint64_t i = 0; i < count; ++i)
        script.raw(request(0, cmd_read, i, 0, 1));
    client.send(script);
    world.first->wait_for(server::Session::max_in_flight);
    world.first->release();
    std::vector<bool> seen(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        const Bytes reply = client.receive(17);
        REQUIRE(reply.size() == 17);
        const auto cookie = protocol::load_be<std::uint64_t>(reply.data() + 8);
        REQUIRE(cookie < count);
        CHECK_FALSE(seen[cookie]);
        seen[cookie] = true;
    }
}

TEST_CASE("a client that does not read its replies is not read from for ever", "[server]") {
    auto device = std::make_shared<MemoryDevice>(1 << 20);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    choose(client, "big", 1 << 20, flags);
    constexpr std::uint64_t count = 200;
    std::thread sender([&] {
        for (std::uint64_t i = 0; i < count; ++i)
            client.send(request(0, cmd_read, i, 0, 1 << 20));
    });
    for (std::uint64_t i = 0; i < count; ++i)
        REQUIRE(client.receive(16 + (1 << 20)).size() == 16 + (1 << 20));
    sender.join();
}

TEST_CASE("a large write arrives whole, wherever it begins and however it is cut", "[server]") {
    auto device = std::make_shared<MemoryDevice>(2 << 20);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    choose(client, "big", 2 << 20, flags);
    const bool held = GENERATE(false, true); // then it cannot be written as it arrives
    device->set_takes_pipes(GENERATE(false, true));
    constexpr std::uint32_t length = 1000003;
    Bytes payload(length);
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<std::byte>(i * 2654435761U >> 13);
    if (held)
        device->hold();
    client.send(request(0, cmd_write, 1, 12345, length));
    for (std::size_t at = 0, step = 1; at < length; at += step, step = 1 + step * 7 % 70001) {
        step = std::min<std::size_t>(step, length - at);
        const auto from = payload.begin() + static_cast<std::ptrdiff_t>(at);
        client.send(Bytes(from, from + static_cast<std::ptrdiff_t>(step)));
    }
    if (held) {
        device->wait_for(1);
        device->release();
    }
    client.expect(simple_reply(1));
    const auto written = device->bytes().begin() + 12345;
    CHECK(std::equal(payload.begin(), payload.end(), written));
    CHECK(*(written - 1) == std::byte{0});
    CHECK(written[length] == std::byte{0});
}

TEST_CASE("a large write that fails in the middle is answered once, and the stream stays in step",
          "[server]") {
    auto device = std::make_shared<MemoryDevice>(2 << 20);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    choose(client, "big", 2 << 20, flags);
    device->set_takes_pipes(GENERATE(false, true));
    device->fail_from(700000, EIO);
    client.send(wire().raw(request(0, cmd_write, 1, 0, 1 << 20)).zeroes(1 << 20))
        .expect(simple_reply(1, EIO))
        .send(request(0, cmd_read, 2, 0, 1))
        .expect(wire().raw(simple_reply(2)).u8(0));
}

TEST_CASE("large writes follow one another, and small requests follow them", "[server]") {
    auto device = std::make_shared<MemoryDevice>(2 << 20);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    choose(client, "big", 2 << 20, flags);
    constexpr std::uint32_t length = 1 << 20;
    auto script = wire();
    for (std::uint64_t i = 1; i <= 3; ++i)
        script.raw(request(0, cmd_write, i, i * 1000, length)).fill(length, std::byte(i));
    script.raw(request(0, cmd_read, 4, 3000, 1)).raw(request(0, cmd_read, 5, 2999, 1));
    const Bytes all = script;
    std::thread sender([&] { client.send(all); });
    client.expect(simple_reply(1)).expect(simple_reply(2)).expect(simple_reply(3));
    client.expect(wire().raw(simple_reply(4)).u8(3)).expect(wire().raw(simple_reply(5)).u8(2));
    sender.join();
}

TEST_CASE("a device that gets stuck in the middle of a large write loses none of it", "[server]") {
    auto device = std::make_shared<MemoryDevice>(2 << 20);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    choose(client, "big", 2 << 20, flags);
    constexpr std::uint32_t length = 1 << 20;
    client.send(wire().raw(request(0, cmd_write, 1, 100, length)).fill(500000, std::byte{1}));
    while (!device->has_written(300000)) // all but the last step of it
        std::this_thread::yield();
    device->hold();
    client.send(wire().fill(length - 500000, std::byte{2}));
    device->wait_for(1);
    device->release();
    client.expect(simple_reply(1));
    const auto written = device->bytes().begin() + 100;
    CHECK(std::all_of(written, written + 500000, [](std::byte b) { return b == std::byte{1}; }));
    CHECK(std::all_of(written + 500000, written + length,
                      [](std::byte b) { return b == std::byte{2}; }));
}

TEST_CASE("a bad request magic ends the connection after what came before", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(wire().raw(request(0, cmd_read, 1, 0, 4)).fill(28, std::byte{'Q'}))
        .expect(wire().raw(simple_reply(1)).zeroes(4))
        .expect_end();
}

TEST_CASE("a bad option magic or client flag ends the connection", "[server]") {
    World world;
    ScriptedClient magic(*world.server);
    magic.expect(greeting()).send(wire().raw(client_flags()).fill(16, std::byte{'X'}));
    magic.expect_end();
    ScriptedClient flag(*world.server);
    flag.expect(greeting()).send(wire().raw(client_flags(0x0b)).raw(option(3)));
    flag.expect_end();
}

TEST_CASE("unknown commands and flags are refused, and the stream stays in step", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(request(0, 77, 1, 0, 8)).expect(simple_reply(1, EINVAL));
    client.send(request(0, 8, 2, 0, 8)).expect(simple_reply(2, EINVAL)); // RESIZE: not offered
    for (std::uint16_t bit = 1; bit < 16; ++bit) {
        const auto flag = static_cast<std::uint16_t>(1U << bit);
        client.send(request(flag, cmd_read, bit, 0, 8)).expect(simple_reply(bit, EINVAL));
        client.send(wire().raw(request(flag, cmd_write, bit, 0, 8)).zeroes(8))
            .expect(simple_reply(bit, EINVAL));
        client.send(request(flag, cmd_flush, bit, 0, 0)).expect(simple_reply(bit, EINVAL));
        client.send(request(flag, cmd_trim, bit, 0, 8)).expect(simple_reply(bit, EINVAL));
        client.send(request(flag, cmd_write_zeroes, bit, 0, 8))
            .expect(simple_reply(bit, bit == 1   ? 0
                                      : bit == 4 ? 95
                                                 : EINVAL)); // not fast here
        client.send(request(flag, cmd_cache, bit, 0, 8)).expect(simple_reply(bit, EINVAL));
    }
    client.send(request(0, cmd_read, 99, 0, 1)).expect(wire().raw(simple_reply(99)).u8(0));
}

TEST_CASE("FUA is accepted on every command", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(request(1, cmd_read, 1, 0, 1)).expect(wire().raw(simple_reply(1)).u8(0));
    client.send(wire().raw(request(1, cmd_write, 2, 0, 1)).u8(7)).expect(simple_reply(2));
    client.send(request(1, cmd_flush, 3, 0, 0)).expect(simple_reply(3));
    client.send(request(1, cmd_trim, 4, 0, 8)).expect(simple_reply(4));
    client.send(request(1, cmd_write_zeroes, 5, 0, 8)).expect(simple_reply(5));
    // Only of changes: a failed read, say, must not count as a failed sync.
    CHECK(world.first->stable() == 3);
}

TEST_CASE("ranges outside the export are refused without overflow", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    for (const std::uint64_t offset :
         {std::uint64_t{8192}, std::uint64_t{7936}, ~std::uint64_t{0} - 511}) {
        client.send(request(0, cmd_read, 1, offset, 512)).expect(simple_reply(1, EINVAL));
        client.send(request(0, cmd_trim, 2, offset, 512)).expect(simple_reply(2, EINVAL));
        client.send(wire().raw(request(0, cmd_write, 3, offset, 512)).zeroes(512))
            .expect(simple_reply(3, ENOSPC));
        client.send(request(0, cmd_write_zeroes, 4, offset, 512)).expect(simple_reply(4, ENOSPC));
    }
}

TEST_CASE("a request too large is refused after its payload was taken", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    const std::uint32_t too_much = (1U << 25) + 1;
    client.send(request(0, cmd_read, 1, 0, too_much)).expect(simple_reply(1, EINVAL));
    client.send(wire().raw(request(0, cmd_write, 2, 0, too_much)).zeroes(too_much))
        .expect(simple_reply(2, EINVAL))
        .send(request(0, cmd_read, 3, 0, 1))
        .expect(wire().raw(simple_reply(3)).u8(0));
}

TEST_CASE("requests of no bytes succeed and do nothing", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    for (const std::uint16_t command : {cmd_read, cmd_write, cmd_trim, cmd_write_zeroes})
        client.send(request(0, command, command, 8192, 0)).expect(simple_reply(command));
}

TEST_CASE("a read-only export is not offered changes, and refuses them", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "ro", 4096, 0x050f);
    client.send(wire().raw(request(0, cmd_write, 1, 0, 4)).text("evil"))
        .expect(simple_reply(1, EPERM));
    client.send(request(0, cmd_trim, 2, 0, 4)).expect(simple_reply(2, EPERM));
    client.send(request(0, cmd_write_zeroes, 3, 0, 4)).expect(simple_reply(3, EPERM));
    client.send(request(0, cmd_read, 4, 0, 4)).expect(wire().raw(simple_reply(4)).zeroes(4));
}

TEST_CASE("structured reads are one chunk with their offset", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    go_structured(client, false);
    client.send(wire().raw(request(0, cmd_write, 1, 10, 4)).text("data")).expect(simple_reply(1));
    client.send(request(4, cmd_read, 2, 10, 4)).expect(data_chunk(2, 10, wire().text("data")));
    client.send(request(0, cmd_read, 3, 0, 0))
        .expect(wire().u32(0x668e33ef).u16(1).u16(0).u64(3).u32(0));
}

TEST_CASE("a failure below names the segment and the offset, and nothing of this host",
          "[server]") {
    World world;
    world.second->fail_from(100, EIO);
    ScriptedClient client(*world.server);
    go_structured(client, false);
    client.send(request(0, cmd_read, 1, 4000, 1000));
    const std::string text = "segment 1: Input/output error";
    client.expect(wire()
                      .u32(0x668e33ef)
                      .u16(1)
                      .u16(0x8002)
                      .u64(1)
                      .u32(static_cast<std::uint32_t>(14 + text.size()))
                      .u32(EIO)
                      .u16(static_cast<std::uint16_t>(text.size()))
                      .text(text)
                      .u64(4096 + 100));
    client.send(request(0, cmd_read, 2, 4000, 196)).expect(data_chunk(2, 4000, filled(196, 0)));
}

TEST_CASE("a failure below is one simple reply without data", "[server]") {
    World world;
    world.second->fail_from(0, ENOSPC);
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(request(0, cmd_read, 1, 4000, 1000)).expect(simple_reply(1, ENOSPC));
    client.send(wire().raw(request(0, cmd_write, 2, 4000, 1000)).zeroes(1000))
        .expect(simple_reply(2, ENOSPC));
    client.send(request(0, cmd_flush, 3, 0, 0)).expect(simple_reply(3, ENOSPC));
}

TEST_CASE("a flush reaches every device of the table", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(request(0, cmd_flush, 1, 123, 456)).expect(simple_reply(1));
    CHECK(world.first->flushes() == 1);
    CHECK(world.second->flushes() == 1);
}

TEST_CASE("block status joins equal neighbours over segments", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    go_structured(client, true);
    client.send(request(0, cmd_block_status, 1, 0, 8192))
        .expect(wire().u32(0x668e33ef).u16(1).u16(5).u64(1).u32(12).u32(1).u32(8192).u32(0));
}

TEST_CASE("block status without its context is refused", "[server]") {
    World world;
    ScriptedClient client(*world.server);
    choose(client, "disk", 8192, flags);
    client.send(request(0, cmd_block_status, 1, 0, 512)).expect(simple_reply(1, EINVAL));
}

} // namespace interposed::tests
