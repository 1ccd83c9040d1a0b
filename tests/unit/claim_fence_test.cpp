// The claim is the fence against a stale writer: while a write of a killed process may still
// reach the disk, nobody else may be given the disk.

#include "devices/claim.hpp"
#include "devices/kernel_files.hpp"
#include "tests/support/exclusive_open.hpp"
#include "tests/support/loop_device.hpp"
#include "tests/support/mounted.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <liburing.h>
#include <sys/wait.h>
#include <thread>

using namespace interposed::devices;
using namespace interposed::tests;
using namespace std::chrono_literals;

namespace {

/// Whether the condition comes true in time.
template <typename Condition>
bool within(std::chrono::milliseconds time, Condition condition) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end)
            return false;
        std::this_thread::sleep_for(2ms);
    }
    return true;
}

/// A filesystem whose writes stand still while this lives.
class Frozen {
public:
    explicit Frozen(const TemporaryDirectory& directory)
        : root_(::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        REQUIRE(::ioctl(root_.get(), FIFREEZE, 0) == 0);
    }
    Frozen(const Frozen&) = delete;
    Frozen& operator=(const Frozen&) = delete;
    ~Frozen() { ::ioctl(root_.get(), FITHAW, 0); }

private:
    FileDescriptor root_;
};

bool write_in_flight(const LoopDevice& loop) {
    const std::string name = loop.path().substr(5);
    const auto counts = read_kernel_file("/sys/block/" + name + "/inflight"); // reads, writes
    return counts && !counts->ends_with(" 0");
}

/// The child's part: claims, says so, waits for the word, starts a write and never ends.
[[noreturn]] void claim_and_write(const DeviceInfo& info, bool raised, int said, int word) {
    Claim claim = Claim::take(info, ClaimMode::exclusive,
                              raised ? Access::read_only : Access::read_write, CacheMode::direct);
    if (raised)
        claim.raise();
    const int claim_fd = claim.claim_fd();
    io_uring ring;
    ::io_uring_queue_init(4, &ring, 0);
    ::io_uring_register_files(&ring, &claim_fd, 1);
    char letter = 'c';
    if (::write(said, &letter, 1) == 1 && ::read(word, &letter, 1) == 1) {
        alignas(4096) static char data[4096];
        ::io_uring_prep_write(::io_uring_get_sqe(&ring), claim.io_fd(), data, sizeof data, 0);
        ::io_uring_submit(&ring);
    }
    for (;;)
        ::pause();
}

/// Another process with a claim, which writes when told to.
class Writer {
public:
    Writer(const LoopDevice& loop, bool raised) {
        int said[2];
        int word[2];
        REQUIRE(::pipe(said) == 0);
        REQUIRE(::pipe(word) == 0);
        const DeviceInfo info = probe(loop.path());
        pid_ = ::fork();
        if (pid_ == 0)
            claim_and_write(info, raised, said[1], word[0]);
        ::close(said[1]);
        ::close(word[0]);
        said_ = FileDescriptor(said[0]);
        word_ = FileDescriptor(word[1]);
        char letter = 0;
        REQUIRE(::read(said_.get(), &letter, 1) == 1);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;
    ~Writer() { kill_and_reap(); }

    void start_writing() { REQUIRE(::write(word_.get(), "w", 1) == 1); }
    void kill_and_reap() {
        if (pid_ != 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
        pid_ = 0;
    }

private:
    pid_t pid_ = 0;
    FileDescriptor said_;
    FileDescriptor word_;
};

} // namespace

TEST_CASE("a claim outlives its killed process until its last write has ended", "[devices]") {
    if (!loop_devices_permitted() || !programs_present("mkfs.ext4"))
        return;
    const bool raised = GENERATE(false, true);
    const LoopDevice disk({.size = 64 << 20});
    const Mounted mounted(disk.path());
    const LoopDevice loop({.file = mounted.directory().make_file("image", 16 << 20)});
    Writer writer(loop, raised);
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
    {
        const Frozen frozen(mounted.directory());
        writer.start_writing();
        REQUIRE(within(60s, [&] { return write_in_flight(loop); }));

        writer.kill_and_reap();

        // It must stay busy; half a second is far longer than an unfenced claim lasts.
        CHECK_FALSE(within(500ms, [&] { return exclusive_open_error(loop.path()) != EBUSY; }));
        CHECK(write_in_flight(loop));
    }
    CHECK(within(60s, [&] { return exclusive_open_error(loop.path()) == 0; }));
}
