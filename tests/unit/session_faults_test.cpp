#include "tests/support/faulty_device.hpp"
#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>
#include <cerrno>

// What a client hears when a device fails while a reply is on its way.
namespace interposed::tests {

namespace {

using devices::OpKind;
using protocol::Framing;

constexpr std::uint64_t size = std::uint64_t{4} << 20;
constexpr std::uint32_t length = 2400000;

/// One export over a device that cannot be read behind a certain byte, and one beside it.
struct World {
    std::shared_ptr<FaultyDevice> bad = std::make_shared<FaultyDevice>(
        size, std::vector<Fault>{{OpKind::read, {1600000, 1}, EIO}}, 1);
    std::shared_ptr<MemoryDevice> good = std::make_shared<MemoryDevice>(4096);
    TestServer server{{memory_export<FaultyDevice>("bad", {bad}), memory_export("good", {good})}};
};

Bytes large_read(Framing framing, std::uint64_t cookie) {
    if (framing == Framing::extended)
        return wire().u32(0x21e41c71).u16(0).u16(0).u64(cookie).u64(400000).u64(length);
    return request(0, 0, cookie, 400000, length);
}

/// What comes before the data.
std::size_t header_size(Framing framing) {
    return framing == Framing::simple ? 16 : protocol::data_chunk_size(framing);
}

/// Everything that comes until the server closes.
Bytes all_of(ScriptedClient& client) {
    return client.receive(std::size_t{64} << 20);
}

} // namespace

TEST_CASE("an error behind a reply that has begun ends the connection, and nothing else",
          "[server]") {
    World world;
    ScriptedClient neighbour(world.server);
    go(neighbour, "good", Framing::simple);

    const Framing framing = GENERATE(Framing::simple, Framing::structured, Framing::extended);
    // Of a reply in three steps, so many are sent before the device breaks its promise.
    const int sent = GENERATE(0, 1);
    ScriptedClient client(world.server);
    go(client, "bad", framing);
    world.bad->promise(1 + sent);
    client.send(large_read(framing, 1));
    const Bytes got = all_of(client);
    CHECK(got.size() >= header_size(framing));
    CHECK(got.size() <= header_size(framing) + 1200000);
    if (sent > 0)
        CHECK(got.size() >= header_size(framing) + (std::size_t{256} << 10));
    client.wait_for_end();

    neighbour.send(request(0, 0, 2, 0, 8)).expect(wire().raw(simple_reply(2)).zeroes(8));
    ScriptedClient next(world.server);
    go(next, "bad", Framing::simple);
    next.send(request(0, 0, 3, 1599990, 20)).expect(simple_reply(3, EIO));
    next.send(request(0, 0, 4, 0, 8)).expect(wire().raw(simple_reply(4)).zeroes(8));
}

TEST_CASE("a file that is cut off while it is sent ends the connection", "[server]") {
    World world;
    const Framing framing = GENERATE(Framing::simple, Framing::structured, Framing::extended);
    ScriptedClient client(world.server);
    go(client, "bad", framing);
    world.bad->promise(100);
    world.bad->shorten(800000);
    client.send(large_read(framing, 1));
    CHECK(all_of(client).size() == header_size(framing) + 400000);
    client.wait_for_end();
    world.bad->shorten(size);
    ScriptedClient next(world.server);
    go(next, "bad", Framing::simple);
    next.send(request(0, 0, 2, 799990, 20)).expect(wire().raw(simple_reply(2)).zeroes(20));
}

TEST_CASE("a small reply whose memory is gone when it is sent is read", "[server]") {
    World world;
    ScriptedClient client(world.server);
    go(client, "bad", Framing::simple);
    client.send(wire().raw(request(0, 1, 1, 5000, 4)).text("data")).expect(simple_reply(1));
    world.bad->promise_memory();
    world.bad->hide_memory();
    client.send(wire().raw(request(0, 0, 2, 0, 4)).raw(request(0, 0, 3, 5000, 4)))
        .expect(wire().raw(simple_reply(2)).zeroes(4))
        .expect(wire().raw(simple_reply(3)).text("data"));
}

TEST_CASE("a small reply that has begun and cannot be read ends the connection", "[server]") {
    World world;
    const Framing framing = GENERATE(Framing::simple, Framing::structured);
    ScriptedClient client(world.server);
    go(client, "bad", framing);
    world.bad->promise_memory();
    world.bad->shorten(8192);
    client.send(wire().raw(request(0, 0, 1, 0, 512)).raw(request(0, 0, 2, 16384, 512)));
    // What came before it is whole.
    CHECK(all_of(client).size() == 2 * header_size(framing) + 512);
    client.wait_for_end();
}

TEST_CASE("requests in flight are waited for when a reply cannot be finished", "[server]") {
    auto held = std::make_shared<MemoryDevice>(4096);
    auto bad = std::make_shared<FaultyDevice>(
        size, std::vector<Fault>{{OpKind::read, {1600000, 1}, EIO}}, 1);
    auto made = std::make_shared<server::Export>();
    made->name = "bad";
    made->devices = {"memory 0", "memory 1"};
    made->table = std::make_shared<server::TableLayer>(
        mapping::Table({{.start = 0, .length = size, .device = 0, .device_offset = 0},
                        {.start = size, .length = 4096, .device = 1, .device_offset = 0}}),
        std::vector<std::shared_ptr<devices::Layer>>{bad, held});
    TestServer server({made});
    ScriptedClient client(server);
    go(client, "bad", Framing::simple);
    held->hold();
    client.send(wire().raw(request(0, 1, 1, size, 4)).text("data"));
    held->wait_for(1);
    bad->promise(1);
    client.send(large_read(Framing::simple, 2));
    CHECK(all_of(client).size() >= 16);
    CHECK(server.loop().sessions() == 1);
    held->release();
    client.wait_for_end();
    CHECK(held->bytes()[3] == std::byte{'a'});
}

TEST_CASE("a device that takes no more pipes in the middle of a large write loses none of it",
          "[server]") {
    auto device = std::make_shared<MemoryDevice>(2 * size);
    TestServer server({memory_export("big", {device})});
    ScriptedClient client(server);
    go(client, "big", Framing::simple);
    Bytes payload(size);
    for (std::size_t i = 0; i < payload.size(); ++i)
        payload[i] = static_cast<std::byte>(1 + i % 251);
    constexpr std::ptrdiff_t first = 500000; // behind it a part of a step stays in the pipe
    client.send(request(0, 1, 1, 100, size)).send(Bytes(payload.begin(), payload.begin() + first));
    while (!device->has_written(300000)) // all but the last step of it
        std::this_thread::yield();
    device->set_takes_pipes(false);
    client.send(Bytes(payload.begin() + first, payload.end()))
        .send(request(0, 0, 2, 0, 1))
        .expect(simple_reply(1))
        .expect(wire().raw(simple_reply(2)).u8(0));
    CHECK(std::equal(payload.begin(), payload.end(), device->bytes().begin() + 100));
}

} // namespace interposed::tests
