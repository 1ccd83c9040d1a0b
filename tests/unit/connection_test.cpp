#include "tests/support/access_rules.hpp"
#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>

// What rules do to a client, and what becomes of it when they change.
namespace interposed::tests {

namespace {

using server::ListenerRules;
using server::LiveExport;

constexpr std::uint64_t size = std::uint64_t{1} << 20;
constexpr std::uint16_t flags = 0x0d6d;
constexpr std::uint16_t reader_flags = 0x050f;
constexpr std::uint32_t eperm = 1;
constexpr std::uint32_t large = 512U << 10; ///< is written as it arrives
constexpr auto patience = std::chrono::seconds(60);

constexpr std::uint16_t cmd_read = 0;
constexpr std::uint16_t cmd_write = 1;
constexpr std::uint16_t cmd_flush = 3;
constexpr std::uint16_t cmd_trim = 4;
constexpr std::uint16_t cmd_write_zeroes = 6;

const std::string nobody = R"({"psk": "nobody has it"})";
const std::string readers = R"({"access": "read_only"})";

/// Something that is told on another thread.
class Told {
public:
    [[nodiscard]] std::function<void()> trigger() const {
        return [promise = promise_] { promise->set_value(); };
    }
    void wait() { REQUIRE(promise_->get_future().wait_for(patience) == std::future_status::ready); }

private:
    std::shared_ptr<std::promise<void>> promise_ = std::make_shared<std::promise<void>>();
};

struct World {
    std::shared_ptr<MemoryDevice> device = std::make_shared<MemoryDevice>(size);
    TestServer server{{memory_export("disk", {device})}};
    std::shared_ptr<LiveExport> live = server.exports().find("disk");
    std::shared_ptr<ListenerRules> entrance = std::make_shared<ListenerRules>();

    std::shared_ptr<server::Export> with_rules(const std::string& rules) const {
        auto next = std::make_shared<server::Export>(*live->now());
        next->access = rules.empty() ? nullptr : access_list(rules);
        return next;
    }
    void set_rules(const std::string& rules) { live->replace(with_rules(rules)); }
    void hold() const {
        Told quiet;
        live->hold(quiet.trigger());
        quiet.wait();
    }
    void go_on_with(const std::string& rules) {
        set_rules(rules);
        Told gone_on;
        live->go_on(gone_on.trigger());
        gone_on.wait();
    }
};

/// Until the connection has taken the rules as they are.
void apply(ScriptedClient& client) {
    Told applied;
    client.connection().apply_rules(applied.trigger());
    applied.wait();
}

void expect_reading_only(ScriptedClient& client) {
    client.send(wire().raw(request(0, cmd_write, 1, 0, 4)).text("evil"))
        .expect(simple_reply(1, eperm))
        .send(wire().raw(request(0, cmd_write, 2, 0, large)).fill(large, std::byte{0xff}))
        .expect(simple_reply(2, eperm))
        .send(request(0, cmd_trim, 3, 0, 4096))
        .expect(simple_reply(3, eperm))
        .send(request(0, cmd_write_zeroes, 4, 0, 4096))
        .expect(simple_reply(4, eperm))
        .send(request(0, cmd_flush, 5, 0, 0))
        .expect(simple_reply(5));
    CHECK(client.connection().status().read_only);
}

void expect_writing(ScriptedClient& client, std::string_view what) {
    client
        .send(wire()
                  .raw(request(0, cmd_write, 6, 8, static_cast<std::uint32_t>(what.size())))
                  .text(what))
        .expect(simple_reply(6));
    CHECK_FALSE(client.connection().status().read_only);
}

void expect_read(ScriptedClient& client, std::string_view what) {
    client.send(request(0, cmd_read, 7, 8, static_cast<std::uint32_t>(what.size())))
        .expect(wire().raw(simple_reply(7)).text(what));
}

} // namespace

TEST_CASE("one client may only read what another writes at the same time", "[server]") {
    World world;
    world.entrance->set(access_list(readers));
    ScriptedClient writer(world.server);
    ScriptedClient reader(world.server, world.entrance);
    choose(writer, "disk", size, flags);
    choose(reader, "disk", size, reader_flags);
    for (const std::string_view what : {"first", "other"}) {
        expect_writing(writer, what);
        expect_reading_only(reader);
        expect_read(reader, what);
        expect_read(writer, what);
    }
    CHECK(world.device->bytes()[0] == std::byte{0});
}

TEST_CASE("a client may only read what its export lets it read", "[server]") {
    World world;
    world.set_rules(readers);
    ScriptedClient client(world.server);
    choose(client, "disk", size, reader_flags);
    expect_reading_only(client);
}

TEST_CASE("a client that no rule is for any more is turned out", "[server]") {
    for (const bool by_listener : {false, true}) {
        World world;
        ScriptedClient client(world.server, world.entrance);
        choose(client, "disk", size, flags);
        expect_writing(client, "kept");
        by_listener ? world.entrance->set(access_list(nobody)) : world.set_rules(nobody);
        apply(client);
        client.send(request(0, cmd_read, 1, 0, 1)).expect_end();
        client.leave();
        client.wait_for_end();
        CHECK(world.live->connections() == 0);
    }
}

TEST_CASE("what was accepted of a client before it is turned out is answered", "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    world.device->hold();
    client.send(request(0, cmd_flush, 1, 0, 0));
    world.device->wait_for(1);
    world.set_rules(nobody);
    apply(client);
    apply(client); // once is enough
    world.device->release();
    client.expect(simple_reply(1)).expect_end();
}

TEST_CASE("a client that may only read from now on does not write any more", "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    expect_writing(client, "before");
    world.set_rules(readers);
    apply(client);
    expect_reading_only(client);
    expect_read(client, "before");
}

TEST_CASE("a client that was made to read does not write until it connects again", "[server]") {
    World world;
    world.set_rules(readers);
    ScriptedClient client(world.server);
    choose(client, "disk", size, reader_flags);
    world.set_rules({});
    apply(client);
    expect_reading_only(client);
    ScriptedClient again(world.server);
    choose(again, "disk", size, flags);
    expect_writing(again, "after");
}

TEST_CASE("a WRITE that has arrived in part is finished before its client may only read",
          "[server]") {
    World world;
    ScriptedClient client(world.server);
    choose(client, "disk", size, flags);
    client.send(wire().raw(request(0, cmd_write, 1, 0, large)).fill(large / 2, std::byte{7}));
    while (!world.device->has_written(0))
        std::this_thread::yield();
    world.set_rules(readers);
    apply(client);
    client.send(wire().fill(large / 2, std::byte{7})).expect(simple_reply(1));
    expect_reading_only(client);
    CHECK(world.device->bytes()[large - 1] == std::byte{7});
}

TEST_CASE("a table that is swapped in brings its rules with it", "[server]") {
    for (const bool may_stay : {true, false}) {
        World world;
        ScriptedClient client(world.server);
        choose(client, "disk", size, flags);
        expect_writing(client, "before");
        world.hold();
        client.send(wire().raw(request(0, cmd_write, 1, 0, 4)).text("evil")); // waits
        world.go_on_with(may_stay ? readers : nobody);
        if (may_stay) {
            client.expect(simple_reply(1, eperm));
            expect_reading_only(client);
        } else {
            client.expect_end();
        }
        CHECK(world.device->bytes()[0] == std::byte{0});
    }
}

TEST_CASE("a swap does not let a client write that may only read", "[server]") {
    World world;
    world.entrance->set(access_list(readers));
    ScriptedClient client(world.server, world.entrance);
    choose(client, "disk", size, reader_flags);
    world.hold();
    world.go_on_with({});
    expect_reading_only(client);
}

TEST_CASE("a client that has not chosen yet is turned out by its listener's rules", "[server]") {
    World world;
    ScriptedClient client(world.server, world.entrance);
    client.expect(greeting());
    world.set_rules(nobody);
    apply(client);
    client.send(wire().raw(client_flags()).raw(option(3))).expect(option_reply(3, 1));
    world.entrance->set(access_list(nobody));
    apply(client);
    client.expect_end();
}

TEST_CASE("rules that change while a client chooses are those that count", "[server]") {
    World world;
    ScriptedClient client(world.server);
    client.expect(greeting()).send(client_flags());
    world.set_rules(nobody);
    client.send(option(1, wire().text("disk"))).expect_end();
    world.set_rules(readers);
    ScriptedClient other(world.server);
    choose(other, "disk", size, reader_flags);
    expect_reading_only(other);
}

} // namespace interposed::tests
