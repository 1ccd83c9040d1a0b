#include "tests/support/storm_client.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <thread>

// Many clients, many requests at a time, and devices that fail.
namespace interposed::tests {

namespace {

using devices::OpKind;
using protocol::Framing;

constexpr std::uint64_t mib = std::uint64_t{1} << 20;

/// An export of four devices of odd sizes, the last three of which have faults.
struct World {
    World() {
        add(700001, {});
        add(mib + 3, {{OpKind::read, {300000, 5000}, EIO},
                      {OpKind::write, {500000, 4096}, ENOSPC},
                      {OpKind::write_zeroes, {100000, 1}, EROFS}});
        add(900000,
            {{OpKind::read, {450000, 300}, ETIMEDOUT},
             {OpKind::write, {460000, 1}, EFBIG},
             {OpKind::write, {0, 1}, EDQUOT},
             {OpKind::trim, {470000, 20000}, EPERM}},
            true);
        add(6 * mib - size, {{OpKind::read, {mib, 1}, ENOTCONN},
                             {OpKind::write, {2 * mib, mib}, EIO},
                             {OpKind::cache, {2 * mib, 1}, ESHUTDOWN},
                             {OpKind::flush, {}, ENOSPC}});
        faults.flush = ENOSPC;
        const auto good =
            std::make_shared<FaultyDevice>(2 * mib, std::vector<Fault>{}, ++devices_made);
        server = std::make_unique<TestServer>(std::vector<std::shared_ptr<const server::Export>>{
            memory_export("bad", devices), memory_export<FaultyDevice>("good", {good})});
    }

    /// One more device for the export; what is wrong with it in its own coordinates.
    void add(std::uint64_t length, std::vector<Fault> wrong, bool blunt = false) {
        for (Fault fault : wrong) {
            if (fault.kind == OpKind::flush)
                continue;
            fault.where.offset += size;
            faults.all.push_back({fault, blunt ? size : fault.where.offset});
        }
        devices.push_back(
            std::make_shared<FaultyDevice>(length, std::move(wrong), ++devices_made, blunt));
        size += length;
    }

    StormClient::Setting setting(mapping::Extent own, Framing framing) const {
        return {.name = "bad",
                .size = size,
                .own = own,
                .faults = faults,
                .framing = framing,
                .seed = static_cast<unsigned>(own.offset + 1)};
    }

    std::vector<std::shared_ptr<FaultyDevice>> devices;
    std::uint64_t size = 0;
    unsigned devices_made = 0;
    ExportFaults faults;
    ExportFaults no_faults;
    std::unique_ptr<TestServer> server;
};

/// Sends what it will not wait for, and leaves in the middle of a write.
void be_rude(TestServer& server, unsigned number) {
    ScriptedClient client(server);
    client.send(wire().raw(client_flags()).raw(option(1, wire().text("bad"))));
    for (std::uint64_t i = 0; i < 20; ++i)
        client.send(request(0, 0, i, (number + i) * 100003 % (5 * mib), 200000));
    client.send(wire().raw(request(0, 1, 99, 5 * mib, 500000)).zeroes(number * 30000));
    client.leave();
    client.wait_for_end();
}

} // namespace

TEST_CASE("in a storm of failures each request gets one reply, and the right one", "[server]") {
    World world;
    std::vector<std::unique_ptr<StormClient>> clients;
    const auto add = [&](const StormClient::Setting& setting) {
        clients.push_back(std::make_unique<StormClient>(*world.server, setting));
    };
    for (std::uint64_t i = 0; i < 5; ++i) // the last MiB is for the rude ones
        add(world.setting({i * mib, mib}, static_cast<Framing>(i % 3)));
    add({"good", 2 * mib, {0, mib}, world.no_faults, Framing::simple, 77});
    add({"good", 2 * mib, {mib, mib}, world.no_faults, Framing::extended, 78});

    std::vector<std::thread> threads;
    for (const auto& client : clients)
        threads.emplace_back([&client] { client->run(60, 20); });
    for (unsigned number = 0; number < 15; ++number)
        be_rude(*world.server, number);
    for (std::thread& thread : threads)
        thread.join();

    for (std::size_t i = 0; i < clients.size(); ++i) {
        CHECK(clients[i]->complaints() == std::vector<std::string>{});
        const bool has_failed = clients[i]->failures() > 0;
        CHECK(has_failed == (i < 5));
    }
    clients.clear();
    CHECK(world.server->loop().sessions() == 0);
}

} // namespace interposed::tests
