#include "devices/range_lock.hpp"

#include <catch2/catch.hpp>
#include <vector>

namespace interposed::devices {

namespace {

constexpr auto plain = RangeLock::Mode::plain;
constexpr auto modify = RangeLock::Mode::read_modify_write;

std::vector<Operation*> listed(Operation* first) {
    std::vector<Operation*> out;
    for (; first != nullptr; first = first->next)
        out.push_back(first);
    return out;
}

} // namespace

TEST_CASE("plain writes of the same range do not wait for each other", "[devices]") {
    RangeLock ranges;
    Operation a;
    Operation b;
    CHECK(ranges.lock(a, {0, 4096}, plain));
    CHECK(ranges.lock(b, {0, 4096}, plain));
    CHECK(listed(ranges.unlock(a)).empty());
    CHECK(listed(ranges.unlock(b)).empty());
}

TEST_CASE("a read-modify-write waits for a plain write of its block, and the other way round",
          "[devices]") {
    const bool modify_first = GENERATE(false, true);
    RangeLock ranges;
    Operation first;
    Operation second;
    CHECK(ranges.lock(first, {0, 4096}, modify_first ? modify : plain));
    CHECK_FALSE(ranges.lock(second, {0, 4096}, modify_first ? plain : modify));
    CHECK(listed(ranges.unlock(first)) == std::vector<Operation*>{&second});
    CHECK(listed(ranges.unlock(second)).empty());
}

TEST_CASE("read-modify-writes of different blocks do not wait", "[devices]") {
    RangeLock ranges;
    Operation a;
    Operation b;
    CHECK(ranges.lock(a, {0, 4096}, modify));
    CHECK(ranges.lock(b, {4096, 4096}, modify));
    CHECK(listed(ranges.unlock(a)).empty());
    CHECK(listed(ranges.unlock(b)).empty());
}

TEST_CASE("who waits for a range is not overtaken", "[devices]") {
    RangeLock ranges;
    Operation writing;
    Operation waiting;
    Operation late;
    CHECK(ranges.lock(writing, {0, 4096}, plain));
    CHECK_FALSE(ranges.lock(waiting, {0, 4096}, modify));
    CHECK_FALSE(ranges.lock(late, {0, 4096}, plain));
    CHECK(listed(ranges.unlock(writing)) == std::vector<Operation*>{&waiting});
    CHECK(listed(ranges.unlock(waiting)) == std::vector<Operation*>{&late});
    CHECK(listed(ranges.unlock(late)).empty());
}

TEST_CASE("one unlock can let several in", "[devices]") {
    RangeLock ranges;
    Operation first;
    Operation a;
    Operation b;
    CHECK(ranges.lock(first, {0, 8192}, modify));
    CHECK_FALSE(ranges.lock(a, {0, 4096}, modify));
    CHECK_FALSE(ranges.lock(b, {4096, 4096}, modify));
    CHECK(listed(ranges.unlock(first)).size() == 2);
    CHECK(listed(ranges.unlock(a)).empty());
    CHECK(listed(ranges.unlock(b)).empty());
}

} // namespace interposed::devices
