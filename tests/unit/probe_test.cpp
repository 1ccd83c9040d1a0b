#include "devices/probe.hpp"
#include "tests/support/loop_device.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

using namespace interposed::devices;
using namespace interposed::tests;

namespace fs = std::filesystem;

namespace {

/// Why the probe refuses the path; "" if it does not.
std::string refusal(const std::string& path) {
    try {
        probe(path);
        return "";
    } catch (const DeviceAbsent& absent) {
        return std::string("absent: ") + absent.what();
    } catch (const std::runtime_error& refused) {
        return refused.what();
    }
}

std::string number_of(const std::string& node) {
    struct stat found = {};
    REQUIRE(::stat(node.c_str(), &found) == 0);
    return std::to_string(major(found.st_rdev)) + ":" + std::to_string(minor(found.st_rdev));
}

} // namespace

TEST_CASE("a regular file is probed by stat", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 12345);

    const DeviceInfo info = probe(path);

    CHECK(info.path == path);
    CHECK(info.node == path);
    CHECK(info.identity.kind == DeviceKind::regular_file);
    CHECK(info.size == 12345);
    CHECK(info.logical_block_size == 1);
    CHECK(info.place.medium == info.identity);
    CHECK(info.place.start == 0);
    CHECK_FALSE(info.read_only);
}

TEST_CASE("a symlink and a hard link are the same device as their file", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    fs::create_symlink(path, directory.file("symlink"));
    fs::create_hard_link(path, directory.file("hardlink"));
    const DeviceIdentity identity = probe(path).identity;

    CHECK(probe(directory.file("symlink")).identity == identity);
    CHECK(probe(directory.file("hardlink")).identity == identity);
    CHECK(probe(directory.make_file("other", 4096)).identity != identity);
}

TEST_CASE("what cannot be a device is refused by what it is", "[devices]") {
    const TemporaryDirectory directory;
    const auto wanted = [](const std::string& path, const std::string& found) {
        return "device \"" + path + "\": want a block device or a regular file, found " + found;
    };
    const auto pipe = directory.file("pipe");
    REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
    const auto socket = directory.file("socket");
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    socket.copy(address.sun_path, sizeof address.sun_path - 1);
    const FileDescriptor bound(::socket(AF_UNIX, SOCK_STREAM, 0));
    REQUIRE(::bind(bound.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const auto file = directory.make_file("file", 1);

    CHECK(refusal(directory.path()) == wanted(directory.path(), "a directory"));
    CHECK(refusal("/dev/null") == wanted("/dev/null", "a character device"));
    CHECK(refusal(pipe) == wanted(pipe, "a named pipe"));
    CHECK(refusal(socket) == wanted(socket, "a socket"));
    CHECK(refusal(file + "/x") == wanted(file + "/x", "\"Not a directory\""));
}

TEST_CASE("an absent device can be told from everything else that is wrong", "[devices]") {
    const TemporaryDirectory directory;
    const auto missing = directory.file("missing");
    const auto link = directory.file("link");
    fs::create_symlink(missing, link);

    CHECK(refusal(missing) == "absent: device \"" + missing +
                                  "\": want a block device or a regular file, found nothing there");
    CHECK(refusal(link) == "absent: device \"" + link +
                               "\": want a block device or a regular file, found a symbolic link "
                               "to \"" +
                               missing + "\", which does not exist");
    CHECK(refusal("4095:77") ==
          "absent: device \"4095:77\": want a block device with this number, found none");
    CHECK(refusal("8:x").starts_with("absent: device \"8:x\": want a block device or"));
}

TEST_CASE("a block device is probed through sysfs", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.size = 8 << 20, .block_size = 4096});

    const DeviceInfo info = probe(loop.path());

    CHECK(info.identity.kind == DeviceKind::block_device);
    CHECK(to_string(info.identity) == number_of(loop.path()));
    CHECK(info.size == 8 << 20);
    CHECK(info.logical_block_size == 4096);
    CHECK_FALSE(info.read_only);
    CHECK(info.place.medium == info.identity);
}

TEST_CASE("a block device can be named by its number", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const std::string number = number_of(loop.path());

    const DeviceInfo info = probe(number);

    CHECK(info.path == number);
    CHECK(info.node == loop.path());
    CHECK(info.identity == probe(loop.path()).identity);
}

TEST_CASE("a read-only block device says so", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.read_only = true});

    CHECK(probe(loop.path()).read_only);
}

TEST_CASE("a partition lies at its start on the whole disk", "[devices]") {
    if (!loop_devices_permitted())
        return;
    LoopDevice loop({.size = 16 << 20, .block_size = 4096});
    const auto partition = loop.add_partition(3, 1 << 20, 2 << 20);

    const DeviceInfo info = probe(partition);

    CHECK(info.size == 2 << 20);
    CHECK(info.place.medium == probe(loop.path()).identity);
    CHECK(info.place.start == 1 << 20);
    CHECK(info.logical_block_size == 4096);
    CHECK(info.identity != info.place.medium);
}

TEST_CASE("a block device without a medium is refused, but is not absent", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopControl control; // so that nobody attaches it meanwhile
    const std::string path = control.free_device();

    CHECK(refusal(path) ==
          "device \"" + path + "\": want a device with a medium, found one of size 0");
}

TEST_CASE("a node without a driver behind it is absent", "[devices]") {
    const TemporaryDirectory directory;
    const auto node = directory.file("node");
    if (::mknod(node.c_str(), S_IFBLK | 0600, makedev(4095, 77)) != 0) {
        WARN("not tested: cannot make nodes here");
        return;
    }

    CHECK(refusal(node).starts_with("absent: device \"" + node + "\": want its size from sysfs"));
}
