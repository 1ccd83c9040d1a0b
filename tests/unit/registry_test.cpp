#include "devices/device.hpp"
#include "devices/registry.hpp"
#include "tests/support/exclusive_open.hpp"
#include "tests/support/loop_device.hpp"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>
#include <vector>

using namespace interposed::devices;
using namespace interposed::tests;
using namespace std::chrono_literals;

namespace {

Registry::Wish wish(const std::string& user, Access access = Access::read_write,
                    ClaimMode claim = ClaimMode::exclusive, CacheMode cache = CacheMode::buffered) {
    return {.claim = claim, .access = access, .cache = cache, .user = user};
}

Registry::Wish direct_wish(const std::string& user, Access access = Access::read_write,
                           ClaimMode claim = ClaimMode::exclusive) {
    return wish(user, access, claim, CacheMode::direct);
}

constexpr auto reading = Access::read_only;
constexpr auto writing = Access::read_write;

std::string refusal(Registry& registry, const std::string& path, const Registry::Wish& wanted) {
    try {
        registry.open(probe(path), wanted);
        return "";
    } catch (const ClaimError& refused) {
        return refused.what();
    }
}

} // namespace

TEST_CASE("exports that wish the same share one open device", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;

    const auto first = registry.open(probe(loop.path()), direct_wish("a"));
    const auto second = registry.open(probe(loop.path()), direct_wish("b"));

    CHECK(first.get() == second.get());
    CHECK(registry.size() == 1);
}

TEST_CASE("two paths of one device share one open device", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    std::filesystem::create_symlink(path, directory.file("symlink"));
    std::filesystem::create_hard_link(path, directory.file("hardlink"));
    Registry registry;

    const auto first = registry.open(probe(path), wish("a"));

    CHECK(registry.open(probe(directory.file("symlink")), wish("b")) == first);
    CHECK(registry.open(probe(directory.file("hardlink")), wish("c")) == first);
    CHECK(registry.open(probe(directory.make_file("other", 8192)), wish("d")) != first);
    CHECK(registry.size() == 1);
}

TEST_CASE("a block device by path and by number is one open device", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const DeviceInfo by_path = probe(loop.path());
    const DeviceInfo by_number = probe(to_string(by_path.identity));
    Registry registry;

    const auto device = registry.open(by_path, direct_wish("a"));

    CHECK(registry.open(by_number, direct_wish("b")) == device);
}

TEST_CASE("a device is closed once, with the last of its users", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;
    auto first = registry.open(probe(loop.path()), direct_wish("a"));
    auto second = registry.open(probe(loop.path()), direct_wish("a"));
    auto copy = second;

    first.reset();
    second.reset();
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
    copy.reset();
    CHECK(exclusive_open_error(loop.path()) == 0);
    CHECK(registry.size() == 0);
}

TEST_CASE("closing a device closes no descriptor that is not its own", "[devices]") {
    const TemporaryDirectory directory;
    const DeviceInfo info = probe(directory.make_file("image", 8192));
    Registry registry;
    auto device = registry.open(info, wish("a", reading));
    registry.open(info, wish("b", writing)).reset();
    const int claiming = device->claim().claim_fd();
    const int io = device->claim().io_fd();

    device.reset();
    CHECK(::fcntl(claiming, F_GETFD) == -1);
    CHECK(::fcntl(io, F_GETFD) == -1);
    // What gets the same numbers now would suffer from a second close.
    const FileDescriptor first(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, std::min(claiming, io)));
    const FileDescriptor second(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, std::max(claiming, io)));
    registry.open(info, wish("c", reading)).reset();
    CHECK(::fcntl(first.get(), F_GETFD) >= 0);
    CHECK(::fcntl(second.get(), F_GETFD) >= 0);
}

TEST_CASE("another claim for an open device is refused, naming both exports", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    const auto access = GENERATE(reading, writing);
    Registry registry;
    const auto exclusive = registry.open(probe(path), wish("root"));

    CHECK(refusal(registry, path, wish("copy", access, ClaimMode::shared)) ==
          "device \"" + path +
              "\": want \"claim\": \"shared\" for export \"copy\", found it "
              "claimed \"exclusive\" by export \"root\"");
    CHECK(registry.size() == 1);
}

TEST_CASE("an exclusive claim beside a shared one is refused, never shared", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;
    const auto device =
        registry.open(probe(loop.path()), direct_wish("live", writing, ClaimMode::shared));

    CHECK(refusal(registry, loop.path(), direct_wish("mine")) ==
          "device \"" + loop.path() +
              "\": want \"claim\": \"exclusive\" for export \"mine\", "
              "found it claimed \"shared\" by export \"live\"");
    CHECK(device->claim().mode() == ClaimMode::shared);
}

TEST_CASE("a refusal names an export that still uses the device", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    Registry registry;
    auto first = registry.open(probe(path), wish("first"));
    const auto second = registry.open(probe(path), wish("second"));
    first.reset();

    CHECK_THAT(refusal(registry, path, wish("third", writing, ClaimMode::shared)),
               Catch::EndsWith("by export \"second\""));
}

TEST_CASE("another cache mode for an open device is refused, naming both exports", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    Registry registry;
    const auto device = registry.open(probe(path), wish("a"));

    CHECK(refusal(registry, path, direct_wish("b")) ==
          "device \"" + path +
              "\": want \"cache\": \"direct\" for export \"b\", found it open "
              "\"buffered\" by export \"a\"");
}

TEST_CASE("a wish to write raises a device that was opened to read", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;
    const auto reader = registry.open(probe(loop.path()), direct_wish("a", reading));
    REQUIRE(reader->claim().access() == reading);
    const int claiming = reader->claim().claim_fd();

    const auto writer = registry.open(probe(loop.path()), direct_wish("b", writing));

    CHECK(writer == reader);
    CHECK(reader->claim().access() == writing);
    CHECK(reader->claim().claim_fd() == claiming);
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
}

TEST_CASE("a wish to write with another claim is refused and raises nothing", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    Registry registry;
    const auto device = registry.open(probe(path), wish("a", reading));

    CHECK(refusal(registry, path, wish("b", writing, ClaimMode::shared)) != "");
    CHECK(refusal(registry, path, direct_wish("b", writing)) != "");
    CHECK(device->claim().access() == reading);
    CHECK(device->claim().mode() == ClaimMode::exclusive);
}

TEST_CASE("a wish to read leaves a device that is written as it is", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    Registry registry;
    const auto writer = registry.open(probe(path), wish("a", writing));
    const int fd = writer->claim().io_fd();

    const auto reader = registry.open(probe(path), wish("b", reading));

    CHECK(reader == writer);
    CHECK(writer->claim().access() == writing);
    CHECK(writer->claim().io_fd() == fd);
}

TEST_CASE("a raise that fails leaves the readers as they were", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop({.read_only = true});
    Registry registry;
    const auto reader = registry.open(probe(loop.path()), direct_wish("a", reading));

    CHECK(refusal(registry, loop.path(), direct_wish("b", writing)) != "");

    CHECK(reader->claim().access() == reading);
    CHECK(registry.open(probe(loop.path()), direct_wish("c", reading)) == reader);
    CHECK(registry.size() == 1);
}

TEST_CASE("an open that fails leaves no trace", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 8192);
    const DeviceInfo info = probe(path);
    std::filesystem::resize_file(path, 4096);
    Registry registry;

    CHECK_THROWS_AS(registry.open(info, wish("a")), ClaimError);

    CHECK(registry.size() == 0);
    CHECK(registry.open(probe(path), wish("a", writing, ClaimMode::shared)) != nullptr);
}

TEST_CASE("a device that has grown since it was opened is as large for all who use it",
          "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    Registry registry;
    const auto device = registry.open(probe(path), wish("a"));
    const DeviceInfo before = probe(path);
    std::filesystem::resize_file(path, 8192);

    CHECK(registry.open(probe(path), wish("b")) == device);
    CHECK(device->size() == 8192);
    CHECK(registry.open(before, wish("c")) == device);
    CHECK(device->size() == 8192);
}

TEST_CASE("a device is not taken to be larger than it is", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    Registry registry;
    const auto device = registry.open(probe(path), wish("a"));
    DeviceInfo wrong = probe(path);
    wrong.size = 8192;

    CHECK_THROWS_AS(registry.open(wrong, wish("b")), ClaimError);
    CHECK(device->size() == 4096);
}

TEST_CASE("what was opened may outlive the registry", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    std::shared_ptr<Device> device;
    {
        Registry registry;
        device = registry.open(probe(loop.path()), direct_wish("a"));
    }
    CHECK(exclusive_open_error(loop.path()) == EBUSY);
    device.reset();
    CHECK(exclusive_open_error(loop.path()) == 0);
}

TEST_CASE("closing and opening at once never finds our own claim in the way", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const DeviceInfo info = probe(loop.path());
    Registry registry;
    std::atomic<int> failures = 0;
    const auto work = [&](const std::string& user) {
        for (int round = 0; round < 200; ++round) {
            try {
                const auto access = round % 3 == 0 ? writing : reading;
                registry.open(info, direct_wish(user, access)).reset();
            } catch (const ClaimError&) {
                ++failures;
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (const char* user : {"a", "b", "c", "d"})
            threads.emplace_back(work, user);
    }
    CHECK(failures == 0);
    CHECK(registry.size() == 0);
}

TEST_CASE("a claim of ours that the kernel keeps a little longer is waited for", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    Registry registry;
    auto device = registry.open(probe(loop.path()), direct_wish("a"));
    // As an io_uring does whose last request has just been reaped.
    const int lingering = ::fcntl(device->claim().claim_fd(), F_DUPFD_CLOEXEC, 0);
    device.reset();
    REQUIRE(exclusive_open_error(loop.path()) == EBUSY);
    const std::jthread kernel([lingering] {
        std::this_thread::sleep_for(200ms);
        ::close(lingering);
    });

    CHECK(registry.open(probe(loop.path()), direct_wish("a")) != nullptr);
}

TEST_CASE("who waits too long for a device that is being opened is told for whom", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const TemporaryDirectory directory;
    Registry registry(50ms);
    auto device = registry.open(probe(loop.path()), direct_wish("a"));
    FileDescriptor lingering(::fcntl(device->claim().claim_fd(), F_DUPFD_CLOEXEC, 0));
    device.reset();
    std::string slow_refusal = "still waiting";
    std::jthread slow([&] { slow_refusal = refusal(registry, loop.path(), direct_wish("slow")); });
    while (registry.size() == 0)
        std::this_thread::yield();

    CHECK(refusal(registry, loop.path(), direct_wish("late")) ==
          "device \"" + loop.path() +
              "\": want it for export \"late\", found it still being "
              "opened or closed by export \"slow\"");
    // The users of other devices do not wait.
    CHECK(registry.open(probe(directory.make_file("image", 8192)), wish("b")) != nullptr);
    lingering = FileDescriptor();
    slow.join();
    CHECK(slow_refusal == "");
}

TEST_CASE("a whole disk can be claimed right after its partition was given back", "[devices]") {
    if (!loop_devices_permitted())
        return;
    LoopDevice loop;
    const auto partition = loop.add_partition(1, 1 << 20, 1 << 20);
    Registry registry;
    auto device = registry.open(probe(partition), direct_wish("a"));
    const int lingering = ::fcntl(device->claim().claim_fd(), F_DUPFD_CLOEXEC, 0);
    device.reset();
    const std::jthread kernel([lingering] {
        std::this_thread::sleep_for(100ms);
        ::close(lingering);
    });

    CHECK(registry.open(probe(loop.path()), direct_wish("b")) != nullptr);
}

TEST_CASE("somebody else's claim is refused at once", "[devices]") {
    if (!loop_devices_permitted())
        return;
    const LoopDevice loop;
    const FileDescriptor other(::open(loop.path().c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    REQUIRE(other);
    Registry registry;

    const auto before = std::chrono::steady_clock::now();
    for (int attempt = 0; attempt < 4; ++attempt)
        CHECK_THAT(refusal(registry, loop.path(), direct_wish("a")),
                   Catch::Contains("want an exclusive claim, but it is busy; open in this "));
    // A claim of ours would be waited for, three seconds each time.
    CHECK(std::chrono::steady_clock::now() - before < 10s);
    CHECK(registry.size() == 0);
}
