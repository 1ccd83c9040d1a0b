#include "devices/proc_tables.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <limits>
#include <sys/sysmacros.h>

using namespace interposed::devices;

TEST_CASE("mountinfo is read with and without optional words", "[devices]") {
    const auto mounts = parse_mountinfo(
        "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"
        "98 27 259:2 /sub /mnt/b ro,nosuid shared:5 master:1 - xfs /dev/nvme0n1p2 ro\n"
        "99 27 0:45 / /srv rw shared:7 - btrfs /dev/sdb rw,subvol=/\n");

    REQUIRE(mounts.size() == 3);
    CHECK(mounts[0] == Mount{makedev(254, 0), "/", "ext4", "/dev/vda", 27, "rw,discard"});
    CHECK(mounts[1] == Mount{makedev(259, 2), "/mnt/b", "xfs", "/dev/nvme0n1p2", 98, "ro"});
    CHECK(mounts[2] == Mount{makedev(0, 45), "/srv", "btrfs", "/dev/sdb", 99, "rw,subvol=/"});
}

TEST_CASE("escaped blanks and backslashes of a mount point are undone", "[devices]") {
    const auto mounts =
        parse_mountinfo("30 27 7:1 / /mnt/a\\040b\\134c\\011d rw - ext4 /dev/loop\\0401 rw\n");

    REQUIRE(mounts.size() == 1);
    CHECK(mounts[0].mount_point == "/mnt/a b\\c\td");
    CHECK(mounts[0].source == "/dev/loop 1");
}

TEST_CASE("lines of mountinfo that make no sense are left out", "[devices]") {
    CHECK(parse_mountinfo("").empty());
    CHECK(parse_mountinfo("\n\n").empty());
    CHECK(parse_mountinfo("27 1 254:0 / / rw,relatime\n").empty());
    CHECK(parse_mountinfo("27 1 254:0 / / rw - ext4\n").empty());
    CHECK(parse_mountinfo("27 1 x:y / / rw - ext4 /dev/vda rw\n").empty());
    CHECK(parse_mountinfo("- - - - -").empty());
}

TEST_CASE("swaps are read without their heading, deleted files as such", "[devices]") {
    const auto swaps =
        parse_swaps("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
                    "/dev/sda2                               partition\t4092\t\t0\t\t-2\n"
                    "/var/swap\\040file                       file\t\t1024\t\t12\t\t-3\n"
                    "/var/old\\040(deleted)                   file\t\t1024\t\t0\t\t-4\n");

    REQUIRE(swaps.size() == 3);
    CHECK(swaps[0] == Swap{"/dev/sda2", false, false});
    CHECK(swaps[1] == Swap{"/var/swap file", true, false});
    CHECK(swaps[2] == Swap{"/var/old", true, true});
}

TEST_CASE("fdinfo gives the open flags and the byte locks", "[devices]") {
    const DescriptorState state =
        parse_fdinfo("pos:\t0\nflags:\t02100002\nmnt_id:\t24\nino:\t3\n"
                     "lock:\t1: OFDLCK ADVISORY  READ  -1 00:06:30 100 101\n"
                     "lock:\t2: POSIX  ADVISORY  WRITE 77 fe:00:1234 201 EOF\n"
                     "lock:\t3: FLOCK  ADVISORY  WRITE 77 fe:00:1234 0 EOF\n"
                     "lock:\t4: OFDLCK ADVISORY  READ\n");

    CHECK((state.flags & O_ACCMODE) == O_RDWR);
    CHECK((state.flags & O_CLOEXEC) != 0);
    REQUIRE(state.locks.size() == 2);
    CHECK(state.locks[0] == HeldLock{100, 101});
    CHECK(state.locks[1] == HeldLock{201, std::numeric_limits<off_t>::max()});
    CHECK(state.locks[0].covers(100));
    CHECK(state.locks[0].covers(101));
    CHECK_FALSE(state.locks[0].covers(102));
    CHECK_FALSE(state.locks[0].covers(99));
}

TEST_CASE("only complete octal escapes are undone", "[devices]") {
    CHECK(unescape("plain") == "plain");
    CHECK(unescape("a\\040b") == "a b");
    CHECK(unescape("\\12") == "\\12");
    CHECK(unescape("\\") == "\\");
    CHECK(unescape("\\089") == "\\089");
    CHECK(unescape("\\303\\244") == "\xc3\xa4");
}

TEST_CASE("the mark of a deleted file is taken off once", "[devices]") {
    std::string path = "/a (deleted) (deleted)";
    CHECK(strip_deleted(path));
    CHECK(path == "/a (deleted)");
    path = "/a";
    CHECK_FALSE(strip_deleted(path));
    CHECK(path == "/a");
}

TEST_CASE("control characters do not reach the log", "[devices]") {
    CHECK(printable("a\nb\x1b[31m\x7f") == "a?b?[31m?");
    CHECK(printable("gr\xc3\xbc\xc3\x9f") == "gr\xc3\xbc\xc3\x9f");
}
