#include "devices/kernel_holders.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sys/sysmacros.h>

using namespace interposed::devices;
using namespace interposed::tests;

namespace fs = std::filesystem;

namespace {

using Names = std::vector<std::string>;

/// A small sysfs: the disk sda (8:0) with the partition sda1 (8:1).
class FakeKernel {
public:
    FakeKernel() {
        write("sys/devices/sda/dev", "8:0\n");
        write("sys/devices/sda/uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk\n");
        write("sys/devices/sda/sda1/dev", "8:1\n");
        write("sys/devices/sda/sda1/partition", "1\n");
        write("sys/devices/sda/sda1/uevent", "MAJOR=8\nMINOR=1\nDEVNAME=sda1\n");
        link("sys/devices/sda", "sys/dev/block/8:0");
        link("sys/devices/sda/sda1", "sys/dev/block/8:1");
        link("sys/devices/sda", "sys/block/sda");
    }
    void write(const std::string& name, const std::string& text) {
        CHECK_FALSE(directory_.make_text(name, text).empty());
    }
    void link(const std::string& target, const std::string& name) {
        fs::create_directories(fs::path(directory_.file(name)).parent_path());
        fs::create_symlink(directory_.file(target), directory_.file(name));
    }
    [[nodiscard]] KernelTrees trees() const {
        return {.proc = directory_.file("proc"), .sys = directory_.file("sys")};
    }
    [[nodiscard]] DeviceFamily family(unsigned minor) const {
        return DeviceFamily({DeviceKind::block_device, makedev(8, minor), 0}, trees());
    }

private:
    TemporaryDirectory directory_;
};

Deadline soon() {
    return std::chrono::steady_clock::now() + std::chrono::minutes(1);
}

} // namespace

TEST_CASE("a disk's family are its partitions, a partition's its disk", "[devices]") {
    const FakeKernel kernel;
    const DeviceFamily disk = kernel.family(0);
    REQUIRE(disk.members().size() == 2);
    CHECK(disk.find(makedev(8, 0))->note.empty());
    CHECK(disk.find(makedev(8, 1))->note == " (its partition /dev/sda1)");
    CHECK(disk.find(makedev(8, 2)) == nullptr);

    const DeviceFamily partition = kernel.family(1);
    REQUIRE(partition.members().size() == 2);
    CHECK(partition.find(makedev(8, 1))->note.empty());
    CHECK(partition.find(makedev(8, 0))->note == " (its whole disk /dev/sda)");
}

TEST_CASE("mounts are found by number, also of partitions", "[devices]") {
    FakeKernel kernel;
    kernel.write("proc/self/mountinfo", "1 1 8:1 / /mnt/a\\040b rw - ext4 /dev/sda1 rw\n"
                                        "2 1 8:2 / /mnt/c rw - xfs /dev/sda2 rw\n");

    CHECK(mount_holders(kernel.family(0), soon(), kernel.trees()) ==
          Names{"a mount of ext4 on /mnt/a b (its partition /dev/sda1)"});
    CHECK(mount_holders(kernel.family(1), soon(), kernel.trees()) ==
          Names{"a mount of ext4 on /mnt/a b"});
}

TEST_CASE("each mount namespace is looked at once, and named if it is another", "[devices]") {
    FakeKernel kernel;
    const std::string here = "1 1 8:0 / /mnt/a rw - ext4 /dev/sda rw\n";
    const std::string there = here + "2 1 8:0 / /mnt/hidden rw - ext4 /dev/sda rw\n";
    kernel.write("proc/self/mountinfo", here);
    for (const std::string pid : {"40", "41", "42"}) {
        kernel.write("proc/" + pid + "/mountinfo", there);
        kernel.write("proc/" + pid + "/comm", "box" + pid + "\n");
    }
    const auto in_namespace = [&](const std::string& pid, const std::string& number) {
        fs::create_directories(kernel.trees().proc / pid / "ns");
        fs::create_symlink("mnt:[" + number + "]", kernel.trees().proc / pid / "ns/mnt");
    };
    in_namespace("self", "1");
    in_namespace("40", "1");
    in_namespace("41", "2");
    in_namespace("42", "2");

    CHECK(mount_holders(kernel.family(0), soon(), kernel.trees()) ==
          Names{"a mount of ext4 on /mnt/a",
                "a mount of ext4 on /mnt/hidden in the mount namespace of box41 (pid 41)"});
}

TEST_CASE("drivers that hold a device are called by their names", "[devices]") {
    FakeKernel kernel;
    kernel.write("sys/devices/sda/holders/dm-0/dm/name", "vg0-root\n");
    kernel.write("sys/devices/sda/holders/md127/md/level", "raid1\n");
    kernel.write("sys/devices/sda/sda1/holders/bcache0/bcache/state", "clean\n");
    kernel.write("sys/devices/sda/sda1/holders/x!y0/dev", "9:9\n");

    CHECK(driver_holders(kernel.family(0)) ==
          Names{"the device-mapper volume vg0-root (/dev/dm-0)", "the md array /dev/md127",
                "the bcache device /dev/bcache0 (its partition /dev/sda1)",
                "/dev/x/y0 (its partition /dev/sda1)"});
}

TEST_CASE("every device of a btrfs filesystem is held by it", "[devices]") {
    FakeKernel kernel;
    kernel.write("sys/devices/sdz/dev", "65:144\n");
    kernel.link("sys/devices/sda/sda1", "sys/fs/btrfs/f00-ba7/devices/sda1");
    kernel.link("sys/devices/sdz", "sys/fs/btrfs/f00-ba7/devices/sdz");
    kernel.write("sys/fs/btrfs/features/raid1c34", "0\n");

    CHECK(btrfs_holders(kernel.family(1), kernel.trees()) ==
          Names{"the btrfs filesystem f00-ba7 (sda1, sdz)"});
    CHECK(btrfs_holders(kernel.family(0), kernel.trees()) ==
          Names{"the btrfs filesystem f00-ba7 (sda1, sdz) (its partition /dev/sda1)"});
    CHECK(btrfs_holders(kernel.family(2), kernel.trees()).empty());
}

TEST_CASE("loop devices and swap files are found by the identity of their file", "[devices]") {
    FakeKernel kernel;
    const TemporaryDirectory directory;
    const auto file = directory.make_file("image", 4096);
    fs::create_symlink(file, directory.file("link"));
    kernel.write("sys/block/loop5/loop/backing_file", directory.file("link") + "\n");
    kernel.write("sys/block/loop6/loop/backing_file", file + " (deleted)\n");
    kernel.write("sys/block/loop7/loop/backing_file", directory.make_file("other", 1) + "\n");
    kernel.write("proc/swaps", "Filename Type Size Used Priority\n" + file + " file 4 0 -2\n");
    const DeviceFamily family(probe(file).identity, kernel.trees());

    CHECK(loop_openers(family, kernel.trees()) ==
          Names{"/dev/loop5, a loop device over this path"});
    CHECK(swap_holders(family, kernel.trees()) == Names{"swap"});
}

TEST_CASE("a kernel that shows nothing has no holders", "[devices]") {
    const TemporaryDirectory directory;
    const KernelTrees nothing{.proc = directory.file("proc"), .sys = directory.file("sys")};
    const DeviceFamily family({DeviceKind::block_device, makedev(8, 0), 0}, nothing);

    CHECK(mount_holders(family, soon(), nothing).empty());
    CHECK(swap_holders(family, nothing).empty());
    CHECK(driver_holders(family).empty());
    CHECK(btrfs_holders(family, nothing).empty());
    CHECK(loop_openers(family, nothing).empty());
    CHECK(find_openers(family, {}, soon(), nothing).empty());
}
