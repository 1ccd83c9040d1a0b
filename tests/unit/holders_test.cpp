#include "devices/holders.hpp"
#include "devices/open_files.hpp"
#include "tests/support/loop_device.hpp"
#include "tests/support/mounted.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <sys/wait.h>

using namespace interposed::devices;
using namespace interposed::tests;

namespace {

using Names = std::vector<std::string>;

std::string this_process() {
    return "this process (pid " + std::to_string(::getpid()) + ")";
}

FileDescriptor open_file(const std::string& path) {
    return FileDescriptor(::open(path.c_str(), O_RDWR | O_CLOEXEC));
}

/// Another process that has a path open until it is destroyed.
class Holding {
public:
    explicit Holding(const std::string& path) {
        int ready[2];
        REQUIRE(::pipe(ready) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int fd = ::open(path.c_str(), O_RDONLY);
            ::close(ready[1]);
            ::pause();
            ::_exit(fd);
        }
        ::close(ready[1]);
        char none = 0;
        REQUIRE(::read(ready[0], &none, 1) == 0); // its end is closed: it has opened the path
        ::close(ready[0]);
    }
    Holding(const Holding&) = delete;
    Holding& operator=(const Holding&) = delete;
    ~Holding() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    [[nodiscard]] std::string name() const { return process_name({}, pid_); }

private:
    pid_t pid_ = 0;
};

} // namespace

TEST_CASE("holders are worded as held by, open in or busy", "[devices]") {
    CHECK(to_string(Holders{}) == "");
    CHECK(to_string(Holders{{"swap"}, {}}) == "held by swap");
    CHECK(to_string(Holders{{"a", "b"}, {"c (pid 1)"}}) == "held by a, b; open in c (pid 1)");
    CHECK(to_string(Holders{{}, {"c (pid 1)", "d (pid 2)"}}) ==
          "busy; open in c (pid 1), d (pid 2)");
    CHECK(to_string(Holders{Names(10, "x"), {}}) == "held by x, x, x, x, x, x, x, x and 2 more");
}

TEST_CASE("a free device is held by nobody", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;

    CHECK(who_holds(probe(loop.path())).empty());
    CHECK(describe_holders(probe(loop.path())).empty());
}

TEST_CASE("a mount and a process are both found, but only the mount is proven", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkfs.ext4"))
        return;
    const LoopDevice loop;
    const Mounted mounted(loop.path());
    const Holding process(loop.path());

    const Holders found = who_holds(probe(loop.path()));

    CHECK(found.held_by == Names{"a mount of ext4 on " + mounted.directory().path().string()});
    CHECK(found.open_in == Names{process.name()});
}

TEST_CASE("a swap partition is named from its whole disk", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkswap swapon swapoff"))
        return;
    LoopDevice loop;
    const auto partition = loop.add_partition(1, 1 << 20, 8 << 20);
    if (!run("mkswap " + partition + " && swapon " + partition)) {
        WARN("not tested: no swap here");
        return;
    }

    const Holders of_disk = who_holds(probe(loop.path()));
    const Holders of_partition = who_holds(probe(partition));

    CHECK(run("swapoff " + partition));
    CHECK(of_disk.held_by == Names{"swap (its partition " + partition + ")"});
    CHECK(of_partition.held_by == Names{"swap"});
}

TEST_CASE("a loop device over a device or a file is named", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice lower;
    const LoopDevice upper({.file = lower.path()});

    CHECK(who_holds(probe(lower.path())).open_in ==
          Names{upper.path() + ", a loop device over this path"});
    CHECK(who_holds(probe(lower.backing_file())).open_in ==
          Names{lower.path() + ", a loop device over this path"});
}

TEST_CASE("every btrfs device names its filesystem", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkfs.btrfs"))
        return;
    const LoopDevice first({.size = 128 << 20});
    const LoopDevice second({.size = 128 << 20});
    const TemporaryDirectory directory;
    REQUIRE(run("mkfs.btrfs -d raid0 -m raid1 " + first.path() + " " + second.path()));
    REQUIRE(run("mount -t btrfs -o device=" + second.path() + " " + first.path() + " " +
                directory.path().string()));

    const Holders of_first = who_holds(probe(first.path()));
    const Holders of_second = who_holds(probe(second.path()));

    REQUIRE(run("umount " + directory.path().string()));
    const auto names_both = [&](const std::string& holder) {
        return holder.starts_with("the btrfs filesystem ") &&
               holder.find(first.path().substr(5)) != std::string::npos &&
               holder.find(second.path().substr(5)) != std::string::npos;
    };
    REQUIRE(of_first.held_by.size() == 2);
    CHECK(of_first.held_by[0] == "a mount of btrfs on " + directory.path().string());
    CHECK(names_both(of_first.held_by[1]));
    REQUIRE(of_second.held_by.size() == 1);
    CHECK(names_both(of_second.held_by[0]));
}

TEST_CASE("our own other descriptors count, those we name and mere names do not", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const FileDescriptor first = open_file(path);
    const FileDescriptor name(::open(path.c_str(), O_PATH | O_CLOEXEC));
    const std::array ours{first.get()};

    CHECK(who_holds(probe(path)).open_in == Names{this_process()});
    CHECK(who_holds(probe(path), ours).empty());
    const FileDescriptor second = open_file(path);
    CHECK(who_holds(probe(path), ours).open_in == Names{this_process()});
}

TEST_CASE("a lock's holder is proven, other openers are not", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const Holding process(path); // first: it must not inherit the lock's description
    const FileDescriptor locking = open_file(path);
    REQUIRE_FALSE(take_locks(locking.get(), lock_rights(ClaimMode::shared, Access::read_write)));
    const LockConflict writes{.byte = 101, .pid = 0};
    const LockConflict refuses{.byte = 201, .pid = 0};

    CHECK(describe_lock_holders(probe(path), writes) ==
          "held by " + this_process() + ", whose lock on byte 101 says that it writes; open in " +
              process.name());
    CHECK(describe_lock_holders(probe(path), refuses) ==
          "locked on byte 201 (nobody else may write) by nobody visible from here; open in " +
              this_process() + ", " + process.name());
    CHECK(describe_lock_holders(probe(path), {.byte = 101, .pid = 1}, std::array{locking.get()})
              .starts_with("held by " + process_name({}, 1) + ", whose lock on byte 101"));
}
