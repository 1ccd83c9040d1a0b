#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>
#include <future>

// How an export is swapped while its clients do I/O.
namespace interposed::tests {

namespace {

using server::LiveExport;
using server::Terms;

constexpr std::uint16_t flags = 0x0d6d;
constexpr std::uint64_t size = std::uint64_t{1} << 20;
constexpr std::uint32_t large = 512U << 10;         ///< is written as it arrives
constexpr auto patience = std::chrono::seconds(60); // only a hang ever waits that long

struct World {
    std::shared_ptr<MemoryDevice> before = std::make_shared<MemoryDevice>(size);
    std::shared_ptr<MemoryDevice> after = std::make_shared<MemoryDevice>(size);
    TestServer server{{memory_export("disk", {before})}};
    std::shared_ptr<LiveExport> live = server.exports().find("disk");

    std::future<void> hold() {
        auto quiet = std::make_shared<std::promise<void>>();
        live->hold([quiet] { quiet->set_value(); });
        return quiet->get_future();
    }
    void hold_and_wait() { REQUIRE(hold().wait_for(patience) == std::future_status::ready); }
    void go_on() {
        auto gone_on = std::make_shared<std::promise<void>>();
        live->go_on([gone_on] { gone_on->set_value(); });
        REQUIRE(gone_on->get_future().wait_for(patience) == std::future_status::ready);
    }
    void swap() {
        live->replace(memory_export("disk", {after}));
        go_on();
    }
};

bool is_ready(std::future<void>& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
}

Bytes filled(std::size_t count, unsigned value) {
    return wire().fill(count, static_cast<std::byte>(value));
}

bool has(MemoryDevice& device, std::uint64_t offset, std::size_t length, unsigned value) {
    const auto begin = device.bytes().begin() + static_cast<std::ptrdiff_t>(offset);
    return std::all_of(begin, begin + static_cast<std::ptrdiff_t>(length),
                       [value](std::byte each) { return each == static_cast<std::byte>(value); });
}

} // namespace

TEST_CASE("an export without clients is quiet at once", "[server]") {
    World world;
    world.hold_and_wait();
    CHECK(world.live->held());
    world.swap();
    CHECK_FALSE(world.live->held());
}

TEST_CASE("an export is quiet when what was in flight is finished, and not before", "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    world.before->hold();
    client.send(request(0, 3, 1, 0, 0));
    world.before->wait_for(1);
    auto quiet = world.hold();
    CHECK_FALSE(is_ready(quiet));
    CHECK(world.live->waiting_for().size() == 1);
    world.before->release();
    REQUIRE(quiet.wait_for(patience) == std::future_status::ready);
    client.expect(simple_reply(1));
    world.swap();
}

TEST_CASE("requests that come while an export is held are answered by the new table", "[server]") {
    World world;
    world.before->bytes().assign(size, std::byte{1});
    world.after->bytes().assign(size, std::byte{2});
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    client.send(request(0, 0, 1, 0, 2)).expect(wire().raw(simple_reply(1)).fill(2, std::byte{1}));
    world.hold_and_wait();
    client.send(request(0, 0, 2, 0, 2));
    client.send(wire().raw(request(0, 1, 3, 100, 4)).raw(filled(4, 9)));
    world.swap();
    client.expect(wire().raw(simple_reply(2)).fill(2, std::byte{2})).expect(simple_reply(3));
    CHECK(has(*world.after, 100, 4, 9));
    CHECK(has(*world.before, 100, 4, 1));
}

TEST_CASE("a client that comes while an export is held waits as the others do", "[server]") {
    World world;
    world.after->bytes().assign(size, std::byte{2});
    world.hold_and_wait();
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    client.send(request(0, 0, 1, 0, 2));
    world.swap();
    client.expect(wire().raw(simple_reply(1)).fill(2, std::byte{2}));
}

TEST_CASE("a WRITE of which a part is written is finished before the export is quiet", "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    client.send(wire().raw(request(0, 1, 1, 0, large)).raw(filled(large / 2, 7)));
    while (!world.before->has_written(0))
        std::this_thread::yield();
    auto quiet = world.hold();
    CHECK_FALSE(is_ready(quiet));
    client.send(filled(large / 2, 7)).expect(simple_reply(1));
    REQUIRE(quiet.wait_for(patience) == std::future_status::ready);
    world.swap();
    CHECK(has(*world.before, 0, large, 7));
    CHECK(has(*world.after, 0, large, 0));
}

TEST_CASE("a WRITE of which nothing is written yet goes to the new table as a whole", "[server]") {
    for (const std::size_t arrived : {std::size_t{0}, std::size_t{5000}, std::size_t{100000}}) {
        for (const bool pipes : {true, false}) {
            World world;
            CAPTURE(arrived, pipes);
            world.before->set_takes_pipes(pipes);
            ScriptedClient client(world.server);
            choose(client, "disk", size, flags);
            client.send(request(0, 0, 9, 0, 1)).expect(wire().raw(simple_reply(9)).u8(0));
            client.send(wire().raw(request(0, 1, 1, 0, large)).raw(filled(arrived, 7)));
            world.hold_and_wait();
            client.send(filled(1000, 7));
            world.swap();
            client.send(filled(large - arrived - 1000, 7)).expect(simple_reply(1));
            CHECK(has(*world.after, 0, large, 7));
            CHECK(has(*world.before, 0, large, 0));
        }
    }
}

TEST_CASE("a hold that is given up leaves everything as it was", "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    world.before->hold();
    client.send(request(0, 3, 1, 0, 0));
    world.before->wait_for(1);
    std::atomic<bool> quiet = false;
    world.live->hold([&quiet] { quiet = true; });
    world.go_on();
    world.before->release();
    client.expect(simple_reply(1));
    CHECK_FALSE(quiet);
    client.send(request(0, 0, 2, 0, 1)).expect(wire().raw(simple_reply(2)).u8(0));
}

TEST_CASE("who leaves is not waited for any more", "[server]") {
    World world;
    auto client = std::make_unique<ScriptedClient>(world.server);
    choose(*client, "disk", size, flags);
    client->send(wire().raw(request(0, 1, 1, 0, large)).raw(filled(large / 2, 7)));
    while (!world.before->has_written(0))
        std::this_thread::yield();
    auto quiet = world.hold();
    CHECK_FALSE(is_ready(quiet));
    client.reset();
    REQUIRE(quiet.wait_for(patience) == std::future_status::ready);
    world.swap();
}

TEST_CASE("a client can be sent away while its export is held", "[server]") {
    for (const bool orderly : {true, false}) {
        World world;
        ScriptedClient client(world.server);
        choose(client, "disk", size, flags);
        client.send(request(0, 0, 1, 0, 1)).expect(wire().raw(simple_reply(1)).u8(0));
        world.hold_and_wait();
        client.send(request(0, 0, 2, 0, 1));
        orderly ? client.connection().stop() : client.connection().abort();
        client.expect_end();
        client.wait_for_end();
        CHECK(world.live->connections() == 0);
        world.swap();
    }
}

TEST_CASE("the place of a client is free again however it leaves", "[server]") {
    const auto device = std::make_shared<MemoryDevice>(size);
    const auto one_client = memory_export("disk", {device});
    one_client->max_connections = 1;
    TestServer server({one_client});
    for (int way = 0; way < 4; ++way) {
        ScriptedClient client(server);
        choose(client, "disk", size, flags);
        ScriptedClient second(server);
        second.expect(greeting())
            .send(wire().raw(client_flags()).raw(option(7, info_data("disk"))))
            .expect(option_reply(7, 0x80000002,
                                 wire().text("the export has as many connections as it may have")));
        if (way == 0)
            client.send(request(0, 2, 1, 0, 0));
        else if (way == 1)
            client.leave();
        else if (way == 2)
            client.send(bytes({1, 2, 3}));
        else
            client.connection().abort();
        client.leave();
        client.wait_for_end();
        CHECK(server.exports().find("disk")->connections() == 0);
    }
}

TEST_CASE("clients are told of what would hurt them", "[server]") {
    const Terms known{.size = 4096, .minimum_block = 512, .read_only = false};
    const auto why_not = [&](Terms after) { return known.why_not(after); };
    CHECK(why_not(known).empty());
    CHECK(why_not({.size = 8192, .minimum_block = 1, .read_only = false}).empty());
    CHECK(why_not({.size = 4095, .minimum_block = 512, .read_only = false}) ==
          "want at least the 4096 bytes that its clients know of, found 4095");
    CHECK(
        why_not({.size = 4096, .minimum_block = 4096, .read_only = false}) ==
        "want a minimum block size of at most the 512 bytes that its clients know of, found 4096");
    CHECK(why_not({.size = 4096, .minimum_block = 512, .read_only = true}) ==
          "want it writable, as its clients know it, found it read-only");
}

} // namespace interposed::tests
