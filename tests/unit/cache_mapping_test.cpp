#include "devices/cache_mapping.hpp"
#include "devices/file_descriptor.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace interposed::devices {

namespace {

using mapping::Extent;
using Time = CacheMapping::Clock::time_point;
using namespace std::chrono_literals;

constexpr std::uint64_t page = 4096;
constexpr std::uint64_t chunk = page * CacheMapping::pages_per_chunk;
constexpr std::uint64_t size = 3 * chunk;
/// Whatever kernel this is tested on.
constexpr auto always = CacheMapping::Faults::always;

/// A file whose first chunk is in memory, and of the second no more than the first page. What is
/// behind that is a hole that nobody has read.
class HalfCachedFile {
public:
    HalfCachedFile()
        : path_(directory_.make_file("file", size)), fd_(::open(path_.c_str(), O_RDWR)) {
        std::string text(chunk + page, 'x');
        text.replace(page, 4, "data");
        std::ofstream(path_, std::ios::in) << text;
    }
    [[nodiscard]] int fd() const { return fd_.get(); }

private:
    tests::TemporaryDirectory directory_;
    std::string path_;
    FileDescriptor fd_;
};

/// Such a file, and its mapping.
struct MappedFile : HalfCachedFile {
    CacheMapping mapping{fd(), size, always};
};

/// Reads until it is found, or that often.
const std::byte* find_again_and_again(CacheMapping& mapping, Extent extent, Time now = Time{1h}) {
    for (unsigned i = 0; i < 3 * CacheMapping::reads_before_asking; ++i) {
        if (const std::byte* const found = mapping.find(extent, now))
            return found;
    }
    return nullptr;
}

/// What a system call gets that takes so many bytes from there; empty if that is EFAULT.
std::string taken_from(const std::byte* data, std::size_t length) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    const FileDescriptor out(ends[0]);
    const FileDescriptor in(ends[1]);
    std::string text(length, '\0');
    if (::write(in.get(), data, length) < 0) {
        REQUIRE(errno == EFAULT);
        return {};
    }
    REQUIRE(::read(out.get(), text.data(), length) == static_cast<ssize_t>(length));
    return text;
}

} // namespace

TEST_CASE("what is in memory is found once it was read some times", "[devices]") {
    MappedFile file;
    CHECK(file.mapping.find({page, 4}, Time{1h}) == nullptr);
    const std::byte* const found = find_again_and_again(file.mapping, {page, 4});
    REQUIRE(found != nullptr);
    CHECK(taken_from(found, 4) == "data");
    CHECK(file.mapping.find({page, 4}, Time{1h}) == found);
    CHECK(file.mapping.find({page + 1, 3}, Time{1h}) == found + 1);
}

TEST_CASE("what is not in memory is not found, nor a read that touches some of it", "[devices]") {
    MappedFile file;
    CHECK(find_again_and_again(file.mapping, {chunk + page - 4, 4}) != nullptr);
    CHECK(find_again_and_again(file.mapping, {chunk + page - 4, 5}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {chunk + page, 4}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {2 * chunk, page}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {chunk - 4, 8}) != nullptr);
}

TEST_CASE("pages that have come into memory are found later", "[devices]") {
    MappedFile file;
    CHECK(find_again_and_again(file.mapping, {chunk + page, page}) == nullptr);
    REQUIRE(::pwrite(file.fd(), "new", 3, chunk + page) == 3);
    const std::byte* const found = find_again_and_again(file.mapping, {chunk + page, page});
    REQUIRE(found != nullptr);
    CHECK(taken_from(found, 3) == "new");
    REQUIRE(::pwrite(file.fd(), "two", 3, chunk + page) == 3);
    CHECK(taken_from(found, 3) == "two");
}

TEST_CASE("bytes that were cut off are an error of the call", "[devices]") {
    MappedFile file;
    const std::byte* const found = find_again_and_again(file.mapping, {page, page});
    REQUIRE(found != nullptr);
    REQUIRE(::ftruncate(file.fd(), page) == 0);
    CHECK(taken_from(found, page).empty());
}

TEST_CASE("while it is suspended nothing is found", "[devices]") {
    MappedFile file;
    const Time now = CacheMapping::Clock::now();
    REQUIRE(find_again_and_again(file.mapping, {0, page}, now) != nullptr);
    file.mapping.suspend();
    CHECK(find_again_and_again(file.mapping, {0, page}, now + 1h) == nullptr);
    file.mapping.resume();
    CHECK(file.mapping.find({0, page}, now) == nullptr); // it is asked anew
    CHECK(find_again_and_again(file.mapping, {0, page}, now) != nullptr);
}

TEST_CASE("what is known is asked anew after a while, and when pages were dropped", "[devices]") {
    MappedFile file;
    const Time now{1h};
    REQUIRE(find_again_and_again(file.mapping, {page, page}, now) != nullptr);
    REQUIRE(::ftruncate(file.fd(), page) == 0);
    const bool after_a_while = GENERATE(true, false);
    CHECK(file.mapping.find({page, page}, now + CacheMapping::trusted_for - 1ms) != nullptr);
    if (!after_a_while)
        file.mapping.disbelieve();
    const Time then = after_a_while ? now + CacheMapping::trusted_for : now;
    CHECK(find_again_and_again(file.mapping, {page, page}, then) == nullptr);
    CHECK(find_again_and_again(file.mapping, {0, page}, then) != nullptr);
}

TEST_CASE("of a page that the file ends in nothing is found", "[devices]") {
    MappedFile file;
    REQUIRE(::ftruncate(file.fd(), page + 100) == 0);
    CHECK(find_again_and_again(file.mapping, {page, 200}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {page, 100}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {0, page}) != nullptr);
}

TEST_CASE("after a call that has waited nothing is found for a while, then what is there",
          "[devices]") {
    MappedFile file;
    const Time before{1h};
    REQUIRE(find_again_and_again(file.mapping, {0, page}, before) != nullptr);
    file.mapping.leave(file.mapping.enter(before).value(), before + 9ms, false);
    REQUIRE(file.mapping.find({0, page}, before + 9ms) != nullptr);
    file.mapping.leave(file.mapping.enter(before + 9ms).value(), before + 18ms, true);
    CHECK(find_again_and_again(file.mapping, {0, page}, before + 18ms) == nullptr);
    const Time later = before + 18ms + CacheMapping::rest;
    CHECK(file.mapping.find({0, page}, later) == nullptr); // it is asked anew
    CHECK(find_again_and_again(file.mapping, {0, page}, later) != nullptr);
}

TEST_CASE("while somebody is stuck inside nobody else is let in, however busy the others are",
          "[devices]") {
    MappedFile file;
    const Time now{1h};
    REQUIRE(find_again_and_again(file.mapping, {0, page}, now) != nullptr);
    const auto stuck = file.mapping.enter(now);
    REQUIRE(stuck);
    for (auto at = now; at <= now + CacheMapping::stuck_after; at += 10us) {
        const auto other = file.mapping.enter(at);
        REQUIRE(other);
        REQUIRE(*other != *stuck);
        file.mapping.leave(*other, at + 5us, false);
    }
    const Time then = now + CacheMapping::stuck_after + 1us;
    CHECK_FALSE(file.mapping.enter(then));
    CHECK(file.mapping.find({0, page}, then) == nullptr); // nor is it tried again and again
    file.mapping.leave(*stuck, then, false);
    CHECK(file.mapping.enter(then));
    CHECK(file.mapping.find({0, page}, then + CacheMapping::rest) != nullptr);
}

TEST_CASE("there is room for so many at a time, and for more again when they have left",
          "[devices]") {
    MappedFile file;
    const Time now{1h};
    std::vector<CacheMapping::Place> inside;
    while (const auto place = file.mapping.enter(now))
        inside.push_back(*place);
    CHECK(inside.size() >= 64);
    file.mapping.leave(inside.back(), now, false);
    CHECK(file.mapping.enter(now) == inside.back());
}

TEST_CASE("all of a range is in memory, or it is not", "[devices]") {
    const MappedFile file;
    CHECK(file.mapping.holds({0, chunk + page}));
    CHECK(file.mapping.holds({chunk + page - 1, 1}));
    CHECK_FALSE(file.mapping.holds({0, chunk + page + 1}));
    CHECK_FALSE(file.mapping.holds({0, size}));
    CHECK_FALSE(file.mapping.holds({0, 0}));
    CHECK_FALSE(file.mapping.holds({0, 3 * size}));
}

TEST_CASE("a device that has grown is found there as well", "[devices]") {
    MappedFile file;
    const std::string more(page, 'm');
    REQUIRE(::pwrite(file.fd(), more.data(), page, size + page) == static_cast<ssize_t>(page));
    CHECK(find_again_and_again(file.mapping, {size + page, 4}) != nullptr);
    CHECK(find_again_and_again(file.mapping, {size, page}) == nullptr);
    CHECK(find_again_and_again(file.mapping, {2 * size + chunk, page}) == nullptr);
}

TEST_CASE("a device that is larger than memory can ever be is not mapped", "[devices]") {
    const HalfCachedFile file;
    CacheMapping mapping(file.fd(), ~std::uint64_t{0} >> 1, always);
    CHECK(find_again_and_again(mapping, {0, page}) == nullptr);
    CHECK_FALSE(mapping.holds({0, page}));
}

TEST_CASE("of a file that this user may not write nothing is known, so nothing found",
          "[devices]") {
    if (::geteuid() != 0)
        return; // only root can become somebody else
    const HalfCachedFile file;
    std::thread([&] {
        // Made before, as by a server that becomes somebody else later; of this thread alone.
        CacheMapping mapping(file.fd(), size, always);
        REQUIRE(::syscall(SYS_setresuid, 65534, 65534, 65534) == 0);
        CHECK(find_again_and_again(mapping, {0, page}) == nullptr);
        CHECK_FALSE(mapping.holds({2 * chunk, page})); // which mincore() would deny
    }).join();
}

TEST_CASE("an address is known to be one of a mapping's", "[devices]") {
    const HalfCachedFile file;
    std::uintptr_t address = 0;
    {
        CacheMapping mapping(file.fd(), size, always);
        const std::byte* const found = find_again_and_again(mapping, {0, page});
        REQUIRE(found != nullptr);
        address = reinterpret_cast<std::uintptr_t>(found);
        CHECK(CacheMapping::is_mapped(address));
        CHECK(CacheMapping::is_mapped(address + size - 1));
        CHECK_FALSE(CacheMapping::is_mapped(reinterpret_cast<std::uintptr_t>(&address)));
        CHECK_FALSE(CacheMapping::is_mapped(address - 1));
    }
    CHECK_FALSE(CacheMapping::is_mapped(address));
}

} // namespace interposed::devices
