#include "server/resolve.hpp"
#include "tests/support/loop_device.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace interposed;
using tests::LoopDevice;
using tests::TemporaryDirectory;

namespace {

config::Configuration configuration(const std::string& members, const std::filesystem::path& in) {
    return config::parse(
        "{\"listen\": \"tcp://h\", \"exports\": [{\"name\": \"a\",\n" + members + "}]}", "f", in);
}

std::string report(const std::string& members, const std::filesystem::path& in = "/") {
    const config::Configuration wish = configuration(members, in);
    try {
        server::resolve(wish);
        return {};
    } catch (const config::ConfigError& why) {
        return why.what();
    }
}

} // namespace

TEST_CASE("real files are resolved, by symbolic and hard links too", "[server]") {
    const TemporaryDirectory directory;
    const std::string file = directory.make_file("a.img", 10000);
    std::filesystem::create_symlink("a.img", directory.path() / "symbolic");
    std::filesystem::create_hard_link(file, directory.path() / "hard");

    const config::Configuration wish = configuration(
        R"("table": [{"kind": "linear", "device": "a.img", "length": 3},
                     {"kind": "linear", "device": "symbolic", "offset": 3, "length": "1s"},
                     {"kind": "linear", "device": "hard", "offset": 515}])",
        directory.path());
    const server::Resolved resolved = server::resolve(wish);

    CHECK(resolved.exports.at(0).size == 10000);
    CHECK(resolved.exports.at(0).devices.size() == 1);
    CHECK(resolved.exports.at(0).devices[0].cache == devices::CacheMode::buffered);
    CHECK(resolved.exports.at(0).segments.at(2).where == mapping::Extent{515, 9485});
}

TEST_CASE("a real file that is empty or absent, and a folder, are faults", "[server]") {
    const TemporaryDirectory directory;
    const std::string empty = directory.make_file("empty.img", 0);
    CHECK(report(R"("table": [{"kind": "linear", "device": "empty.img"}])", directory.path()) ==
          "f:2:11: exports[0].table[0]: device \"" + empty +
              "\": want something behind offset 0, found a size of 0 bytes");
    CHECK(report(R"("table": [{"kind": "linear", "device": "none.img"}])", directory.path())
              .find("f:2:11: exports[0].table[0]: device \"" + directory.file("none.img")) == 0);
    CHECK(report(R"("optional": true, "table": [{"kind": "linear", "device": "none.img"}])",
                 directory.path())
              .empty());
    CHECK_FALSE(report(R"("optional": true, "table": [{"kind": "linear", "device": "."}])",
                       directory.path())
                    .empty());
}

TEST_CASE("a real block device is checked against its size and block size", "[server]") {
    if (!tests::loop_devices_permitted())
        return;
    const LoopDevice loop({.size = 1 << 20, .block_size = 4096});
    const std::string table = "\"dm_table\": [\"0 2048 linear " + loop.path() + " 0\"]";
    const config::Configuration wish = configuration(table, "/");
    const server::Resolved resolved = server::resolve(wish);
    CHECK(resolved.exports.at(0).size == 1 << 20);
    CHECK(resolved.exports.at(0).devices.at(0).cache == devices::CacheMode::direct);

    CHECK(report("\"dm_table\": [\"0 2049 linear " + loop.path() + " 0\"]")
              .find("is too small: start 0, length 1049088, device size 1048576") !=
          std::string::npos);
    CHECK(report("\"dm_table\": [\"0 3 linear " + loop.path() + " 0\"]")
              .find("start 0, length 1536: want a multiple of 4096, the logical block size of "
                    "\"" +
                    loop.path()) != std::string::npos);
    CHECK(report("\"claim\": \"shared\", \"cache\": \"buffered\", " + table)
              .find("want \"cache\": \"direct\" for a shared block device") != std::string::npos);
}

TEST_CASE("a real device that is claimed already can still be resolved", "[server]") {
    if (!tests::loop_devices_permitted())
        return;
    const LoopDevice loop;
    const int claim = ::open(loop.path().c_str(), O_RDWR | O_EXCL | O_CLOEXEC);
    REQUIRE(claim >= 0);
    CHECK(
        report("\"table\": [{\"kind\": \"linear\", \"device\": \"" + loop.path() + "\"}]").empty());
    ::close(claim);
}

TEST_CASE("a real device that is read-only is a fault of a writable export", "[server]") {
    if (!tests::loop_devices_permitted())
        return;
    const LoopDevice loop({.read_only = true});
    const std::string table =
        "\"table\": [{\"kind\": \"linear\", \"device\": \"" + loop.path() + "\"}]";
    CHECK(report(table).find("set \"read_only\": true") != std::string::npos);
    CHECK(report("\"read_only\": true, " + table).empty());
}

TEST_CASE("a real partition overlaps its disk", "[server]") {
    if (!tests::loop_devices_permitted())
        return;
    LoopDevice loop;
    const std::string partition = loop.add_partition(1, 1 << 20, 1 << 20);
    const std::string table = "\"claim\": \"shared\", \"dm_table\": [\"0 2048 linear " + partition +
                              " 0\",\n\"2048 8 linear " + loop.path();
    CHECK(report(table + " 4096\"]").empty());
    CHECK(report(table + " 4088\"]").find("no export may write to the same bytes twice") !=
          std::string::npos);
}
