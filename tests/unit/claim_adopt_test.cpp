#include "devices/claim_change.hpp"
#include "devices/device.hpp"
#include "devices/registry.hpp"
#include "tests/support/exclusive_open.hpp"
#include "tests/support/loop_device.hpp"
#include "tests/support/mounted.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

using namespace interposed::devices;
using namespace interposed::tests;

namespace {

constexpr auto shared = ClaimMode::shared;
constexpr auto adopted = ClaimMode::adopted;
constexpr auto reading = Access::read_only;
constexpr auto writing = Access::read_write;
constexpr auto direct = CacheMode::direct;

Claim take(const std::string& path, ClaimMode mode, Access access) {
    return Claim::take(probe(path), mode, access,
                       path.starts_with("/dev/") ? direct : CacheMode::buffered);
}

std::string refusal(const std::string& path, ClaimMode mode, Access access) {
    try {
        take(path, mode, access);
        return "";
    } catch (const ClaimError& refused) {
        return refused.what();
    }
}

bool can_read(int fd) {
    alignas(4096) static char bytes[4096];
    return ::pread(fd, bytes, sizeof bytes, 0) == sizeof bytes;
}

Registry::Wish wish(const std::string& user, Access access = writing, ClaimMode claim = shared) {
    return {.claim = claim, .access = access, .cache = direct, .user = user};
}

using Devices = std::vector<std::shared_ptr<Device>>;

/// Why the devices cannot have the claim; "" if they can, and then they have it.
std::string change(Registry& registry, const Devices& devices, ClaimMode mode) {
    try {
        const auto prepared = registry.prepare_claims(devices, mode, "a");
        prepared->apply();
        CHECK(prepared->close());
        return "";
    } catch (const ClaimError& refused) {
        return refused.what();
    }
}

struct Waited : Operation {
    std::atomic<bool> ended = false;
};

/// Carries out one operation on the first 4096 bytes; its error.
int carry_out(Device& device, Engine& engine, OpKind kind, char letter = 0) {
    alignas(4096) static std::byte data[4096];
    std::fill(std::begin(data), std::end(data), static_cast<std::byte>(letter));
    Waited operation;
    operation.kind = kind;
    operation.fua = kind == OpKind::write;
    operation.extent = {0, sizeof data};
    operation.data = data;
    operation.done = [](Operation& done) { static_cast<Waited&>(done).ended = true; };
    device.submit(engine, operation);
    engine.flush();
    while (!operation.ended)
        engine.reap();
    return kind == OpKind::read && operation.error == 0 && data[0] != static_cast<std::byte>('w')
               ? -1
               : operation.error;
}

void check_io(Device& device, Engine& engine) {
    CHECK(carry_out(device, engine, OpKind::write, 'w') == 0);
    CHECK(carry_out(device, engine, OpKind::read) == 0);
    CHECK(carry_out(device, engine, OpKind::flush) == 0);
    CHECK(carry_out(device, engine, OpKind::write_zeroes) == 0);
}

} // namespace

TEST_CASE("an adopted claim keeps others away, and a released one lets them in", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const auto access = GENERATE(reading, writing);
    Claim claim = take(loop.path(), shared, access);
    for (int round = 0; round < 3; ++round) {
        const int before = claim.claim_fd();
        CHECK(exclusive_open_error(loop.path()) == 0);
        claim.adopt();
        CHECK(claim.mode() == adopted);
        CHECK(claim.access() == access);
        CHECK(claim.claim_fd() != before);
        CHECK(claim.claim_fd() == claim.io_fd());
        CHECK((::fcntl(claim.io_fd(), F_GETFL) & O_DIRECT) != 0);
        CHECK((::fcntl(claim.io_fd(), F_GETFL) & O_ACCMODE) ==
              (access == reading ? O_RDONLY : O_RDWR));
        CHECK(exclusive_open_error(loop.path()) == EBUSY);
        CHECK_FALSE(claim.is_claimable());
        CHECK(can_read(claim.io_fd()));
        CHECK(refusal(loop.path(), adopted, writing) != "");
        // O_EXCL does not stop it, and the locks do.
        CHECK(refusal(loop.path(), shared, writing).find("nobody else may write") !=
              std::string::npos);

        claim.release();
        CHECK(claim.mode() == shared);
        CHECK(claim.is_claimable());
        CHECK(exclusive_open_error(loop.path()) == 0);
        CHECK(can_read(claim.io_fd()));
        CHECK(refusal(loop.path(), shared, writing) == "");
    }
}

TEST_CASE("a claim can be adopted from the beginning, and released", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Claim claim = take(loop.path(), adopted, writing);
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
    claim.release();
    CHECK(exclusive_open_error(loop.path()) == 0);
    CHECK_THROWS_WITH(Claim::take(probe(loop.path()), adopted, reading, CacheMode::buffered),
                      Catch::Contains("\"direct\" for an adopted block device"));
}

TEST_CASE("an exclusive claim is not released, and none becomes exclusive", "[devices]") {
    const TemporaryDirectory directory;
    Claim claim = take(directory.make_file("image", 4096), ClaimMode::exclusive, writing);
    CHECK_THROWS_AS(claim.release(), ClaimError);
    CHECK_THROWS_AS(claim.prepare(ClaimMode::exclusive), ClaimError);
    CHECK(claim.mode() == ClaimMode::exclusive);
}

TEST_CASE("a device that is mounted is not adopted, and stays shared", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkfs.ext4"))
        return;
    const LoopDevice loop;
    Claim claim = take(loop.path(), shared, writing);
    const int before = claim.claim_fd();
    {
        const Mounted mounted(loop.path());
        CHECK_THROWS_WITH(
            claim.adopt(),
            Catch::Contains("want an exclusive claim, but it is held by a mount of ext4 on " +
                            mounted.directory().path().string()) &&
                !Catch::Contains("this process"));
        CHECK(claim.mode() == shared);
        CHECK(claim.claim_fd() == before);
        CHECK(can_read(claim.io_fd()));
        CHECK(refusal(loop.path(), shared, writing) == ""); // no lock is left of the attempt
    }
    claim.adopt();
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
}

TEST_CASE("a device that another shared claim writes to is not adopted", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Claim claim = take(loop.path(), shared, writing);
    {
        const Claim other = take(loop.path(), shared, writing);
        CHECK_THROWS_WITH(claim.adopt(), Catch::Contains("whose lock on byte 101 says"));
        CHECK(exclusive_open_error(loop.path()) == 0);
    }
    CHECK(refusal(loop.path(), shared, writing) == "");
    claim.adopt();
}

TEST_CASE("a change of a claim that is given up leaves nothing behind", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    Claim claim = take(path, shared, reading);
    {
        const auto change = claim.prepare(adopted);
        CHECK(refusal(path, shared, writing) != "");
    }
    CHECK(refusal(path, shared, writing) == "");
    claim.adopt();
    CHECK(refusal(path, shared, writing) != "");
    CHECK(refusal(path, shared, reading) == "");
    claim.release();
    CHECK(refusal(path, shared, writing) == "");
}

TEST_CASE("a raised claim is adopted with one descriptor, and an adopted one raised", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    {
        Claim claim = take(loop.path(), shared, reading);
        claim.raise();
        claim.adopt();
        CHECK(claim.io_fd() == claim.claim_fd());
        CHECK(claim.access() == writing);
        claim.release();
        CHECK(exclusive_open_error(loop.path()) == 0);
    }
    Claim later = take(loop.path(), adopted, reading);
    later.raise();
    CHECK(later.io_fd() != later.claim_fd());
    later.release();
    CHECK(exclusive_open_error(loop.path()) == 0);
    CHECK((::fcntl(later.io_fd(), F_GETFL) & O_ACCMODE) == O_RDWR);
}

TEST_CASE("a device does I/O through whatever claims it, by io_uring and by threads", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.block_size = GENERATE(512U, 4096U)});
    Engine engine(GENERATE(Engine::Ring::if_possible, Engine::Ring::never));
    Registry registry;
    const auto from = GENERATE(reading, writing);
    auto first = registry.open(probe(loop.path()), wish("a", from));
    const Devices devices{registry.open(probe(loop.path()), wish("a"))}; // raised, if need be
    const auto limits = devices[0]->limits().minimum_block;
    for (int round = 0; round < 2; ++round) {
        check_io(*devices[0], engine);
        CHECK(change(registry, devices, adopted) == "");
        CHECK(change(registry, devices, adopted) == ""); // no effect
        CHECK(devices[0]->claim_mode() == adopted);
        CHECK(devices[0]->limits().minimum_block == limits);
        CHECK(exclusive_open_error(loop.path()) == EBUSY);
        check_io(*devices[0], engine);
        CHECK(change(registry, devices, shared) == "");
        CHECK(exclusive_open_error(loop.path()) == 0);
    }
    check_io(*devices[0], engine);
}

TEST_CASE("what a ring still holds of a claim does not keep it after it is released", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Engine engine(Engine::Ring::if_possible);
    Registry registry;
    auto first = registry.open(probe(loop.path()), wish("a", reading, adopted));
    const Devices devices{registry.open(probe(loop.path()), wish("a", writing, adopted))};
    REQUIRE(devices[0]->claim().io_fd() != devices[0]->claim().claim_fd());
    check_io(*devices[0], engine); // now the ring has the description that claims
    CHECK(change(registry, devices, shared) == "");
    CHECK(exclusive_open_error(loop.path()) == 0);
    check_io(*devices[0], engine);
    CHECK(change(registry, devices, adopted) == "");
    check_io(*devices[0], engine);
}

TEST_CASE("of several devices all are adopted or none", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice one;
    const LoopDevice two;
    Registry registry;
    const Devices devices{registry.open(probe(one.path()), wish("a")),
                          registry.open(probe(two.path()), wish("a"))};
    {
        const FileDescriptor other(::open(two.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
        CHECK(change(registry, devices, adopted)
                  .find("device \"" + two.path() + "\": want an exclusive claim, but it is busy") !=
              std::string::npos);
        CHECK(devices[0]->claim_mode() == shared);
        CHECK(exclusive_open_error(one.path()) == 0);
    }
    CHECK(change(registry, devices, adopted) == "");
    CHECK(exclusive_open_error(one.path()) == EBUSY);
    CHECK(exclusive_open_error(two.path()) == EBUSY);
}

TEST_CASE("a device of two exports is not adopted by one of them", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;
    const Devices devices{registry.open(probe(loop.path()), wish("a"))};
    auto other = registry.open(probe(loop.path()), wish("b"));
    CHECK(change(registry, devices, adopted) ==
          "device \"" + loop.path() +
              "\": want it for export \"a\" alone, to have it adopted, found it used by export "
              "\"b\"");
    CHECK(exclusive_open_error(loop.path()) == 0);
    other.reset();
    CHECK(change(registry, devices, adopted) == "");
    CHECK_THROWS_WITH(registry.open(probe(loop.path()), wish("b")),
                      Catch::Contains("found it claimed \"adopted\" by export \"a\""));
    CHECK(registry.open(probe(loop.path()), wish("b", writing, adopted)) == devices[0]);
}

TEST_CASE("while a claim changes others who want the device wait", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    Registry registry(std::chrono::milliseconds(50));
    const Devices devices{registry.open(probe(path), wish("a"))};
    auto prepared = registry.prepare_claims(devices, adopted, "a");
    CHECK_THROWS_WITH(registry.open(probe(path), wish("a")),
                      Catch::Contains("still being opened or closed by export \"a\""));
    CHECK_THROWS_AS(registry.prepare_claims(devices, adopted, "a"), ClaimError);
    prepared.reset();
    CHECK(registry.open(probe(path), wish("b")) == devices[0]);
}
