#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>

// What clients may take of the memory that all of them share.
namespace interposed::tests {

namespace {

constexpr std::uint16_t flags = 0x0d6d;
constexpr std::uint32_t largest = 1U << 25;
constexpr std::uint64_t total = std::uint64_t{64} << 20;

struct World {
    std::shared_ptr<MemoryDevice> device = std::make_shared<MemoryDevice>(largest);
    TestServer server{{memory_export("disk", {device})}, total};

    void wait_until_taken(std::uint64_t bytes) {
        while (server.limits().memory.taken() < bytes)
            std::this_thread::yield();
    }
};

} // namespace

TEST_CASE("small requests are served while others have all the memory", "[server]") {
    World world;
    ScriptedClient greedy(world.server);
    choose(greedy, "disk", largest, flags);
    // It reads nothing of this, and so nothing of it is given back.
    greedy.send(request(0, 0, 1, 0, largest)).send(request(0, 0, 2, 0, largest));
    world.wait_until_taken(largest / 2);
    ScriptedClient modest(world.server);
    choose(modest, "disk", largest, flags);
    for (std::uint64_t i = 0; i < 100; ++i)
        modest.send(request(0, 0, i, 0, 1)).expect(wire().raw(simple_reply(i)).u8(0));
    CHECK(world.server.limits().memory.taken() <= total);
}

TEST_CASE("a large request waits until there is memory for it", "[server]") {
    World world;
    REQUIRE(world.server.limits().memory.take(total));
    ScriptedClient client(world.server);
    choose(client, "disk", largest, flags);
    client.send(request(0, 0, 1, 0, largest)).send(request(0, 0, 2, 0, 1));
    while (!world.server.limits().memory.was_short())
        std::this_thread::yield();
    world.server.limits().memory.give_back(total);
    CHECK(client.receive(16 + largest).size() == 16 + largest);
    client.expect(wire().raw(simple_reply(2)).u8(0));
}

TEST_CASE("all memory is given back, however a client leaves", "[server]") {
    World world;
    {
        ScriptedClient reader(world.server);
        choose(reader, "disk", largest, flags);
        reader.send(request(0, 0, 1, 0, largest));
        world.wait_until_taken(1);
        ScriptedClient writer(world.server);
        choose(writer, "disk", largest, flags);
        writer.send(wire().raw(request(1, 1, 1, 0, largest)).zeroes(largest / 2));
    }
    CHECK(world.server.limits().memory.taken() == 0);
}

TEST_CASE("a client that waits for memory can be stopped", "[server]") {
    World world;
    REQUIRE(world.server.limits().memory.take(total));
    ScriptedClient client(world.server);
    choose(client, "disk", largest, flags);
    client.send(request(0, 0, 1, 0, largest));
    while (!world.server.limits().memory.was_short())
        std::this_thread::yield();
    client.connection().stop();
    client.expect_end();
    client.leave();
    client.wait_for_end();
    world.server.limits().memory.give_back(total);
    CHECK(world.server.limits().memory.taken() == 0);
}

} // namespace interposed::tests
