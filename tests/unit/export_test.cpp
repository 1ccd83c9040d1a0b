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
        return tests::memory_export("disk", {devices...})->flags(Framing::simple, false);
    };
    CHECK((flags(still) & flag::rotational) == 0);
    CHECK((flags(turning) & flag::rotational) != 0);
    CHECK((flags(still, turning) & flag::rotational) != 0);
}

} // namespace interposed::server
