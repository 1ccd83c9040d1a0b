#include "tests/support/loop_device.hpp"
#include "tests/support/mounted.hpp"
#include "volume/mounts.hpp"
#include "volume/processes.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

using namespace interposed::volume;

namespace {

using interposed::tests::LoopDevice;
using interposed::tests::Mounted;
using interposed::tests::TemporaryDirectory;

bool possible() {
    return interposed::tests::loop_devices_permitted() &&
           interposed::tests::programs_present("mkfs.ext4");
}

Dependence on(const LoopDevice& disk) {
    static const BlockDevices devices;
    return {devices, mounts_of("self"), devices.number_of(disk.path()).value()};
}

} // namespace

TEST_CASE("mountinfo is read, with its optional fields and escapes", "[volume]") {
    const auto mounts =
        parse_mounts("36 35 98:0 /mnt1 /my\\040mnt rw,noatime master:1 shared:2 - ext3 /dev/root "
                     "rw,errors=continue\n"
                     "nonsense\n"
                     "41 35 0:45 / /b rw - btrfs /dev/sdc rw\n");
    REQUIRE(mounts.size() == 2);
    CHECK(mounts[0].id == 36);
    CHECK(mounts[0].device == DeviceNumber{98, 0});
    CHECK(mounts[0].point == "/my mnt");
    CHECK(mounts[0].type == "ext3");
    CHECK(mounts[0].source == "/dev/root");
    CHECK(mounts[0].options == "rw,errors=continue");
    CHECK(mounts[1].device.major == 0);
    CHECK(device_of(mounts[0]) == DeviceNumber{98, 0});
}

TEST_CASE("what lies on a disk is found through filesystems and loop devices", "[volume]") {
    if (!possible())
        return;
    const LoopDevice disk;
    const Mounted outer(disk.path());
    const LoopDevice inner(
        {.size = 4 << 20, .file = outer.directory().make_file("image", 4 << 20)});
    const Mounted deep(inner.path());
    const TemporaryDirectory elsewhere;

    CHECK(on(disk).path(outer.directory().path()));
    CHECK(on(disk).path(deep.directory().path()));
    CHECK(on(inner).path(deep.directory().path()));
    CHECK_FALSE(on(inner).path(outer.directory().path()));
    CHECK_FALSE(on(disk).path(elsewhere.path()));
    CHECK_FALSE(on(disk).path(outer.directory().file("nothing")));
}

TEST_CASE("what a process writes on a volume, or listens at, is found", "[volume]") {
    if (!possible())
        return;
    const LoopDevice disk;
    const Mounted mounted(disk.path());
    const std::string file = mounted.directory().make_text("log", "");
    const std::string read_only = mounted.directory().make_text("read", "");
    CHECK(needed_on(on(disk), ::getpid()).empty());

    const int log = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
    const int other = ::open(read_only.c_str(), O_RDONLY | O_CLOEXEC);
    const int listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = mounted.directory().file("socket");
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const std::vector<Needed> found = needed_on(on(disk), ::getpid());
    ::close(log);
    ::close(other);
    ::close(listener);
    CHECK(found.size() == 2);
    CHECK(std::count(found.begin(), found.end(), Needed{Use::open_file, file}) == 1);
    CHECK(std::count(found.begin(), found.end(), Needed{Use::socket, path}) == 1);
}
