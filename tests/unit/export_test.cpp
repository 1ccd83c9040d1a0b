#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>

namespace interposed::server {

namespace flag = protocol::transmission_flag;
using protocol::Framing;
using tests::MemoryDevice;

TEST_CASE("an export is rotational if one of its devices is", "[server]") {
    const auto still = std::make_shared<MemoryDevice>(4096);
    const auto turning = std::make_shared<MemoryDevice>(4096, devices::Limits{.rotational = true});
    const auto flags = [](const auto&... devices) {
        return tests::memory_export("disk", {devices...})->flags(Framing::simple, false, true);
    };
    CHECK((flags(still) & flag::rotational) == 0);
    CHECK((flags(turning) & flag::rotational) != 0);
    CHECK((flags(still, turning) & flag::rotational) != 0);
}

TEST_CASE("who may not write is told that an export is read-only, and nothing of writing",
          "[server]") {
    const auto disk = tests::memory_export("disk", {std::make_shared<MemoryDevice>(4096)});
    const unsigned changing = flag::send_trim | flag::send_write_zeroes | flag::send_fast_zero;
    const unsigned all = disk->flags(Framing::extended, true, true);
    const unsigned reading = disk->flags(Framing::extended, true, false);
    CHECK((all & (flag::read_only | changing)) == changing);
    CHECK((reading & (flag::read_only | changing)) == flag::read_only);
    CHECK(((all ^ reading) & ~(flag::read_only | changing)) == 0);
    disk->read_only = true;
    CHECK(disk->flags(Framing::extended, true, true) == reading);
}

} // namespace interposed::server
