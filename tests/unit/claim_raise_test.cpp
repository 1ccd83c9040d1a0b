#include "devices/claim.hpp"
#include "tests/support/exclusive_open.hpp"
#include "tests/support/loop_device.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <sys/stat.h>
#include <thread>

using namespace interposed::devices;
using namespace interposed::tests;

namespace {

constexpr auto exclusive = ClaimMode::exclusive;
constexpr auto shared = ClaimMode::shared;
constexpr auto reading = Access::read_only;
constexpr auto writing = Access::read_write;

Claim take(const std::string& path, ClaimMode mode, Access access, CacheMode cache) {
    return Claim::take(probe(path), mode, access, cache);
}

bool can_write(int fd) {
    alignas(4096) static const char zeroes[4096] = {};
    return ::pwrite(fd, zeroes, sizeof zeroes, 0) == sizeof zeroes;
}

} // namespace

TEST_CASE("raising makes a device writable and keeps the claiming description", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    {
        Claim claim = take(loop.path(), exclusive, reading, CacheMode::direct);
        const int claiming = claim.claim_fd();
        CHECK(claim.io_fd() == claiming);
        CHECK_FALSE(can_write(claim.io_fd()));

        claim.raise();

        CHECK(claim.access() == writing);
        CHECK(claim.claim_fd() == claiming);
        CHECK(claim.io_fd() != claiming);
        CHECK((::fcntl(claim.io_fd(), F_GETFL) & O_DIRECT) != 0);
        CHECK(can_write(claim.io_fd()));
        CHECK(exclusive_open_error(loop.path()) == EBUSY);
        claim.raise(); // no effect
        CHECK(claim.claim_fd() == claiming);
    }
    CHECK(exclusive_open_error(loop.path()) == 0);
}

TEST_CASE("a claim is never free while it is raised", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Claim claim = take(loop.path(), exclusive, reading, CacheMode::direct);
    std::atomic<int> refused = 0;
    std::atomic<int> granted = 0;
    std::jthread rival([&](const std::stop_token& ended) {
        while (!ended.stop_requested())
            ++(exclusive_open_error(loop.path()) == 0 ? granted : refused);
    });

    while (refused == 0)
        std::this_thread::yield();
    claim.raise();
    for (const int seen = refused; refused < seen + 100;)
        std::this_thread::yield();
    rival.request_stop();
    rival.join();

    CHECK(granted == 0);
}

TEST_CASE("a raised claim moves with both of its descriptors", "[devices]") {
    const TemporaryDirectory directory;
    Claim claim = take(directory.make_file("image", 4096), exclusive, reading, CacheMode::buffered);
    claim.raise();
    const int io = claim.io_fd();
    const int claiming = claim.claim_fd();

    Claim moved(std::move(claim));

    CHECK(moved.io_fd() == io);
    CHECK(moved.claim_fd() == claiming);
    CHECK(can_write(io));
}

TEST_CASE("raising is refused while somebody forbids writing, and changes nothing", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    Claim claim = take(path, shared, reading, CacheMode::buffered);
    {
        const Claim other = take(path, exclusive, reading, CacheMode::buffered);
        CHECK_THROWS_WITH(claim.raise(),
                          Catch::Contains("want a shared claim (read-write), but it is held by "
                                          "this process") &&
                              Catch::Contains("byte 201 says that nobody else may write"));
        CHECK(claim.access() == reading);
        CHECK(claim.io_fd() == claim.claim_fd());
    }
    // Of the attempt no lock is left that would stop a writer who shares.
    { const Claim writer = take(path, shared, writing, CacheMode::buffered); }
    claim.raise();
    CHECK(can_write(claim.io_fd()));
}

TEST_CASE("a device marked read-only cannot be raised, and keeps its claim", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.read_only = true});
    Claim claim = take(loop.path(), exclusive, reading, CacheMode::direct);

    CHECK_THROWS_AS(claim.raise(), ClaimError);

    CHECK(claim.access() == reading);
    CHECK(claim.io_fd() == claim.claim_fd());
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
}

TEST_CASE("raising opens the claimed file even when its path leads elsewhere", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    Claim claim = take(path, exclusive, reading, CacheMode::buffered);
    std::filesystem::rename(path, directory.file("moved"));
    const auto imposter = directory.make_file("image", 4096);

    claim.raise();

    struct stat found = {};
    REQUIRE(::fstat(claim.io_fd(), &found) == 0);
    CHECK(found.st_ino == probe(directory.file("moved")).identity.inode);
    CHECK(found.st_ino != probe(imposter).identity.inode);
}
