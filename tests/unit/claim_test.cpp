#include "devices/claim.hpp"
#include "tests/support/exclusive_open.hpp"
#include "tests/support/loop_device.hpp"
#include "tests/support/mounted.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace interposed::devices;
using namespace interposed::tests;

namespace {

constexpr auto exclusive = ClaimMode::exclusive;
constexpr auto shared = ClaimMode::shared;
constexpr auto reading = Access::read_only;
constexpr auto writing = Access::read_write;
constexpr auto buffered = CacheMode::buffered;
constexpr auto direct = CacheMode::direct;

Claim take(const std::string& path, ClaimMode mode, Access access, CacheMode cache) {
    return Claim::take(probe(path), mode, access, cache);
}

/// Why the claim is refused; "" if it is not.
std::string refusal(const DeviceInfo& info, ClaimMode mode, Access access, CacheMode cache) {
    try {
        Claim::take(info, mode, access, cache);
        return "";
    } catch (const ClaimError& refused) {
        return refused.what();
    }
}

std::string refusal(const std::string& path, ClaimMode mode, Access access, CacheMode cache) {
    return refusal(probe(path), mode, access, cache);
}

int flags_of(int fd) {
    return ::fcntl(fd, F_GETFL);
}

} // namespace

TEST_CASE("an exclusive claim keeps every other exclusive opener away", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const auto access = GENERATE(reading, writing);
    {
        const Claim claim = take(loop.path(), exclusive, access, direct);
        CHECK(exclusive_open_error(loop.path()) == EBUSY);
        CHECK(refusal(loop.path(), exclusive, reading, direct) ==
              "device \"" + loop.path() +
                  "\": want an exclusive claim, but it is busy; "
                  "open in this process (pid " +
                  std::to_string(::getpid()) + ")");
        CHECK_THROWS_AS(take(loop.path(), exclusive, writing, direct), DeviceBusy);
        CHECK((flags_of(claim.io_fd()) & O_DIRECT) != 0);
        CHECK((::fcntl(claim.io_fd(), F_GETFD) & FD_CLOEXEC) != 0);
    }
    CHECK(exclusive_open_error(loop.path()) == 0);
}

TEST_CASE("an exclusive claim on a mounted device is refused and never shared", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkfs.ext4"))
        return;
    const LoopDevice loop;
    const Mounted mounted(loop.path());

    CHECK(refusal(loop.path(), exclusive, writing, direct) ==
          "device \"" + loop.path() +
              "\": want an exclusive claim, but it is held by a mount of "
              "ext4 on " +
              mounted.directory().path().string());
    CHECK(refusal(loop.path(), exclusive, reading, direct) != "");
    CHECK(refusal(loop.path(), shared, writing, direct) == "");
}

TEST_CASE("a claimed partition excludes its whole disk, and the other way round", "[devices]") {
    if (!loop_devices_permitted())
        return;
    LoopDevice loop;
    const auto first = loop.add_partition(1, 1 << 20, 1 << 20);
    const auto second = loop.add_partition(2, 4 << 20, 1 << 20);
    {
        const Claim claim = take(first, exclusive, writing, direct);
        CHECK(refusal(loop.path(), exclusive, reading, direct).find("(its partition " + first) !=
              std::string::npos);
        CHECK(refusal(second, exclusive, writing, direct) == "");
    }
    const Claim claim = take(loop.path(), exclusive, writing, direct);
    CHECK(refusal(first, exclusive, writing, direct).find("(its whole disk " + loop.path()) !=
          std::string::npos);
}

TEST_CASE("shared claims live beside each other", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const Claim first = take(loop.path(), shared, writing, direct);

    CHECK(refusal(loop.path(), shared, writing, direct) == "");
    CHECK(exclusive_open_error(loop.path()) == 0);
    // O_EXCL would be granted, but the byte locks know that the other one writes.
    CHECK(refusal(loop.path(), exclusive, writing, direct) ==
          "device \"" + loop.path() +
              "\": want an exclusive claim (read-write), but it is held by "
              "this process (pid " +
              std::to_string(::getpid()) + "), whose lock on byte 101 says that it writes");
}

TEST_CASE("a shared block device is never buffered", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;

    CHECK(refusal(loop.path(), shared, reading, buffered) ==
          "device \"" + loop.path() +
              "\": want \"cache\": \"direct\" for a shared block device, found \"buffered\"");
    const Claim claim = take(loop.path(), exclusive, writing, buffered);
    CHECK((flags_of(claim.io_fd()) & O_DIRECT) == 0);
}

TEST_CASE("a regular file is claimed by its byte locks", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 1 << 20);
    const Claim claim = take(path, exclusive, writing, buffered);

    CHECK(refusal(path, exclusive, writing, buffered).find("want an exclusive claim") !=
          std::string::npos);
    CHECK(refusal(path, shared, writing, buffered)
              .find("want a shared claim (read-write), but "
                    "it is held by this process") != std::string::npos);
    CHECK(refusal(path, shared, reading, buffered) == "");
}

TEST_CASE("a device that has changed since it was probed is refused", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    const DeviceInfo info = probe(path);

    std::filesystem::resize_file(path, 4096);
    CHECK(refusal(info, exclusive, reading, buffered) ==
          "device \"" + path + "\": want the 8192 bytes that were probed, found only 4096");
    std::filesystem::resize_file(path, 16384);
    CHECK(refusal(info, exclusive, reading, buffered) == "");
    std::filesystem::rename(directory.make_file("other", 8192), path);
    CHECK(refusal(info, exclusive, reading, buffered) ==
          "device \"" + path + "\": want the device that was probed (" + to_string(info.identity) +
              "), found " + to_string(probe(path).identity));
    std::filesystem::remove(path);
    CHECK(refusal(info, exclusive, reading, buffered) ==
          "device \"" + path + "\": want an exclusive claim, found \"No such file or directory\"");
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0); // an open() of it would wait for a writer
    CHECK(refusal(info, exclusive, reading, buffered) ==
          "device \"" + path + "\": want the device that was probed, found another kind of file");
}

TEST_CASE("a block size that has changed since the probe is refused", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.block_size = 4096});
    DeviceInfo info = probe(loop.path());
    info.logical_block_size = 512;

    CHECK(refusal(info, exclusive, reading, direct) ==
          "device \"" + loop.path() +
              "\": want the logical block size that was probed (512), found 4096");
}

TEST_CASE("a device marked read-only is refused for writing, before a write fails", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    loop.mark_read_only(true);

    CHECK(refusal(loop.path(), exclusive, writing, direct) ==
          "device \"" + loop.path() +
              "\": want read-write access, found the device marked read-only (BLKROGET)");
    CHECK(refusal(loop.path(), exclusive, reading, direct) == "");
    CHECK(exclusive_open_error(loop.path()) == 0);
}

TEST_CASE("a filesystem without direct I/O is named as the reason", "[devices]") {
    CHECK(refusal("/proc/version", shared, reading, direct) ==
          "device \"/proc/version\": want \"cache\": \"direct\", found a filesystem without "
          "O_DIRECT");
}

TEST_CASE("a moved claim is the claim, and the old one holds nothing", "[devices]") {
    const TemporaryDirectory directory;
    const auto one = directory.make_file("one", 4096);
    const auto two = directory.make_file("two", 4096);
    Claim first = take(one, exclusive, writing, buffered);
    const int fd = first.io_fd();

    Claim moved(std::move(first));
    CHECK(moved.io_fd() == fd);
    Claim& same = moved;
    moved = std::move(same);
    CHECK(moved.io_fd() == fd);
    CHECK(refusal(one, exclusive, writing, buffered) != "");

    moved = take(two, exclusive, writing, buffered);
    CHECK(refusal(one, exclusive, writing, buffered) == "");
    CHECK(refusal(two, exclusive, writing, buffered) != "");
}
