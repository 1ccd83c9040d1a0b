#include "tests/support/temporary_directory.hpp"
#include "volume/block_devices.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

using namespace interposed::volume;
using interposed::tests::TemporaryDirectory;

namespace {

namespace fs = std::filesystem;

/// A tree as sysfs has it, of devices that are not there.
class Tree {
public:
    /// `at` is below sys/devices, as "sda/sda1".
    void add(const std::string& at, const std::string& number) {
        (void)root_.make_text("sys/devices/" + at + "/dev", number + "\n");
        link("sys/dev/block/" + number, at);
        link("sys/class/block/" + fs::path(at).filename().string(), at);
    }
    void write(const std::string& at, const std::string& text) {
        (void)root_.make_text("sys/devices/" + at, text + "\n");
    }
    void stack(const std::string& above, const std::string& below) {
        link("sys/devices/" + above + "/slaves/" + below, below);
        link("sys/devices/" + below + "/holders/" + above, above);
    }
    [[nodiscard]] BlockDevices devices() const { return BlockDevices(root_.path()); }

private:
    void link(const std::string& name, const std::string& at) {
        fs::create_directories(fs::path(root_.file(name)).parent_path());
        fs::create_directory_symlink(root_.file("sys/devices/" + at), root_.file(name));
    }

    TemporaryDirectory root_;
};

} // namespace

TEST_CASE("what a device has done is all kinds of requests, on kernels old and new", "[volume]") {
    Tree tree;
    tree.add("dm-0", "253:0");
    tree.write("dm-0/stat", "  10 0 80 3  200 5 99 7  4 10 10");
    CHECK(tree.devices().activity_of({253, 0}).done == 210);
    CHECK(tree.devices().activity_of({253, 0}).in_flight == 4);
    tree.write("dm-0/stat", "  10 0 80 3  200 5 99 7  0 10 10  3000 1 1 1  40000 1");
    CHECK(tree.devices().activity_of({253, 0}).done == 43210);
    CHECK(tree.devices().activity_of({253, 0}).in_flight == 0);
    CHECK(tree.devices().activity_of({9, 9}).done == 0);
}

TEST_CASE("what is below a device is followed down to the disks", "[volume]") {
    Tree tree;
    tree.add("sda", "8:0");
    tree.add("sda/sda1", "8:1");
    tree.write("sda/sda1/partition", "1");
    tree.add("dm-0", "253:0");
    tree.add("dm-1", "253:1");
    tree.stack("dm-1", "dm-0");
    tree.write("dm-0/size", "4096");
    const BlockDevices devices = tree.devices();
    CHECK(devices.number_of("/dev/dm-1") == DeviceNumber{253, 1});
    CHECK_FALSE(devices.number_of("/dev/nbd0"));
    CHECK(devices.name_of({253, 0}) == "dm-0");
    CHECK(devices.name_of({9, 9}) == "9:9");
    CHECK(devices.sectors_of({253, 0}) == 4096);
    CHECK(devices.holders({253, 0}) == std::vector<DeviceNumber>{{253, 1}});
    CHECK(devices.below({253, 1}) == std::set<DeviceNumber>{{253, 0}, {253, 1}});
    CHECK(devices.below({8, 1}) == std::set<DeviceNumber>{{8, 0}, {8, 1}});
}

TEST_CASE("a queue is read, and a partition has its disk's", "[volume]") {
    Tree tree;
    tree.add("sda", "8:0");
    tree.add("sda/sda1", "8:1");
    tree.write("sda/queue/logical_block_size", "4096");
    tree.write("sda/queue/write_cache", "write back");
    tree.write("sda/queue/fua", "1");
    tree.write("sda/queue/max_sectors_kb", "128");
    tree.write("sda/ro", "1");
    const Queue queue = tree.devices().queue_of({8, 1});
    CHECK(queue.logical_block_size == 4096);
    CHECK(queue.write_back);
    CHECK(queue.fua);
    CHECK(queue.zoned == "none");
    CHECK(queue.max_request == 131072);
    CHECK(queue.max_discard == 0);
    CHECK(tree.devices().is_read_only({8, 0}));
}
