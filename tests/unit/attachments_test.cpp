#include "attach/kernel_device.hpp"
#include "attach/lease.hpp"
#include "control/attachments.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <sys/wait.h>
#include <unistd.h>

using namespace interposed;

TEST_CASE("a kernel device is known by its number, written as the kernel writes it", "[attach]") {
    CHECK(attach::index_of("/dev/nbd0") == 0U);
    CHECK(attach::index_of("/dev/nbd15") == 15U);
    for (const char* const wrong : {"/dev/nbd", "/dev/nbd0p1", "/dev/nbd00", "/dev/nbd-1", "nbd0",
                                    "/dev/sda", "", "/dev/nbd99999999999"})
        CHECK_FALSE(attach::index_of(wrong));
    CHECK(attach::path_of(7) == "/dev/nbd7");
}

TEST_CASE("an identifier says the export's name, and no two names share one", "[attach]") {
    CHECK(control::identifier_for("vg-lv_1.x") == "interposed.vg-lv_1.x");
    const auto slashes = control::identifier_for("a/b");
    CHECK(slashes.starts_with("interposed.a_b-"));
    CHECK(slashes != control::identifier_for("a b"));
    CHECK(slashes != control::identifier_for("a_b"));
    const std::string long_name(300, 'x');
    CHECK(control::identifier_for(long_name).size() <= 64);
    CHECK(control::identifier_for(long_name) != control::identifier_for(long_name + "x"));
    CHECK_FALSE(control::identifier_for("").empty());
}

TEST_CASE("a lease is one server's, until the last reference to it is gone", "[attach]") {
    const std::string identifier = "test." + std::to_string(::getpid());
    {
        const auto mine = attach::Lease::take(identifier);
        REQUIRE(mine);
        CHECK_FALSE(attach::Lease::take(identifier));
        CHECK(attach::Lease::holder_of(identifier) == "pid " + std::to_string(::getpid()));
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(attach::Lease::take(identifier) ? 1 : 0);
        int status = -1;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(attach::Lease::take(identifier));
    std::filesystem::remove(attach::Lease::path_of(identifier));
}
