#include "server/resolve.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace interposed;
using config::Cache;
using config::Claim;
using devices::CacheMode;
using devices::DeviceIdentity;
using devices::DeviceInfo;
using devices::DeviceKind;
using server::Resolved;

namespace {

constexpr std::uint64_t MiB = 1 << 20;

/// A machine with devices as a test needs them, and a configuration of exports on them.
class Machine {
public:
    DeviceInfo& disk(const std::string& name, std::uint64_t size, std::uint32_t block_size = 512) {
        const dev_t number = devices_.size() + 1;
        const DeviceIdentity identity{DeviceKind::block_device, number, 0};
        return devices_[name] = {.path = name,
                                 .node = name,
                                 .identity = identity,
                                 .place = {identity, 0},
                                 .size = size,
                                 .logical_block_size = block_size};
    }

    DeviceInfo& partition(const std::string& name, const std::string& disk_name,
                          std::uint64_t start, std::uint64_t size) {
        DeviceInfo& made = disk(name, size);
        made.place = {devices_.at(disk_name).identity, start};
        return made;
    }

    DeviceInfo& file(const std::string& name, std::uint64_t size) {
        const DeviceIdentity identity{DeviceKind::regular_file, 1, devices_.size() + 1};
        return devices_[name] = {.path = name,
                                 .node = name,
                                 .identity = identity,
                                 .place = {identity, 0},
                                 .size = size};
    }

    void alias(const std::string& name, const std::string& of) {
        devices_[name] = devices_.at(of);
        devices_[name].path = name;
    }

    config::Export& add(const std::string& name, Claim claim,
                        const std::vector<config::Segment>& table) {
        config::Export one;
        one.name = name;
        one.claim = claim;
        one.table = table;
        for (std::size_t i = 0; i < table.size(); ++i)
            one.table[i].place = {configuration.exports.size() + 1, i + 1,
                                  name + ".table[" + std::to_string(i) + "]"};
        configuration.exports.push_back(one);
        return configuration.exports.back();
    }

    Resolved resolve() {
        return server::resolve(configuration, [this](const std::string& name) {
            ++probes;
            if (name == "dir")
                throw std::runtime_error("device \"dir\": found a directory");
            const auto found = devices_.find(name);
            if (found == devices_.end())
                throw devices::DeviceAbsent("device \"" + name + "\": found nothing");
            return found->second;
        });
    }

    std::string report() {
        try {
            resolve();
            return {};
        } catch (const config::ConfigError& why) {
            return why.what();
        }
    }

    config::Configuration configuration{.file = "f", .limits = {}, .listen = {}, .exports = {}};
    int probes = 0;

private:
    std::map<std::string, DeviceInfo> devices_;
};

config::Segment on(const std::string& device, std::uint64_t offset = 0,
                   std::optional<std::uint64_t> length = std::nullopt,
                   std::optional<std::uint64_t> start = std::nullopt) {
    config::Segment segment;
    segment.device = device;
    segment.offset = offset;
    segment.length = length;
    segment.start = start;
    return segment;
}

} // namespace

TEST_CASE("lengths that are absent are the rest of the device", "[server]") {
    Machine machine;
    machine.disk("sda", 3 * MiB);
    machine.file("f.img", 2 * MiB);
    machine.add("a", Claim::exclusive, {on("sda", MiB), on("f.img"), on("sda", 0, MiB)});

    const Resolved resolved = machine.resolve();

    REQUIRE(resolved.exports.size() == 1);
    const auto& one = resolved.exports[0];
    CHECK(one.source == machine.configuration.exports.data());
    CHECK(one.size == 5 * MiB);
    REQUIRE(one.devices.size() == 2);
    REQUIRE(one.segments.size() == 3);
    CHECK(one.segments[0].where == mapping::Extent{0, 2 * MiB});
    CHECK(one.segments[0].device_offset == MiB);
    CHECK(one.segments[1].where == mapping::Extent{2 * MiB, 2 * MiB});
    CHECK(one.segments[1].device == 1);
    CHECK(one.segments[2].where == mapping::Extent{4 * MiB, MiB});
    CHECK(one.segments[2].device == 0);
}

TEST_CASE("a length before a given start ends there, not at the end of the device", "[server]") {
    Machine machine;
    machine.file("f.img", 3 * MiB);
    machine.add("a", Claim::exclusive, {on("f.img"), on("f.img", MiB, std::nullopt, MiB)});
    CHECK(machine.resolve().exports[0].segments[0].where == mapping::Extent{0, MiB});
    CHECK(machine.resolve().exports[0].size == 3 * MiB);
}

TEST_CASE("a device is one device by whatever name, and probed once a name", "[server]") {
    Machine machine;
    machine.disk("sda", 8 * MiB);
    machine.alias("by-id", "sda");
    machine.add("a", Claim::exclusive, {on("sda", 0, MiB), on("by-id", MiB, MiB)});
    machine.add("b", Claim::exclusive, {on("by-id", 2 * MiB, MiB)});
    const Resolved resolved = machine.resolve();
    CHECK(resolved.exports[0].devices.size() == 1);
    CHECK(resolved.exports[0].segments[1].device == 0);
    CHECK(machine.probes == 2);
}

TEST_CASE("block devices are direct and files buffered unless the export says", "[server]") {
    Machine machine;
    machine.disk("sda", MiB);
    machine.file("f.img", MiB);
    machine.add("a", Claim::exclusive, {on("sda"), on("f.img")});
    const auto cache = [&machine](Cache wish, std::size_t device) {
        machine.configuration.exports[0].cache = wish;
        return machine.resolve().exports[0].devices.at(device).cache;
    };
    CHECK(cache(Cache::automatic, 0) == CacheMode::direct);
    CHECK(cache(Cache::automatic, 1) == CacheMode::buffered);
    CHECK(cache(Cache::buffered, 0) == CacheMode::buffered);
    CHECK(cache(Cache::direct, 1) == CacheMode::direct);
}

TEST_CASE("a shared block device cannot be buffered", "[server]") {
    Machine machine;
    machine.disk("sda", MiB);
    machine.file("f.img", MiB);
    machine.add("a", Claim::shared, {on("f.img"), on("sda")}).cache = Cache::buffered;
    CHECK(machine.report() ==
          "f:1:2: a.table[1]: device \"sda\": want \"cache\": \"direct\" for a shared block "
          "device, got \"buffered\": its page cache would be stale beside another writer");
}

TEST_CASE("a read-only device needs a read-only export", "[server]") {
    Machine machine;
    machine.disk("sr0", MiB).read_only = true;
    machine.add("a", Claim::exclusive, {on("sr0", 0, 4096), on("sr0", 8192, 4096)});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: device \"sr0\": want a writable device, found a read-only one; set "
          "\"read_only\": true to export it");
    machine.configuration.exports[0].read_only = true;
    CHECK(machine.report().empty());
}

TEST_CASE("an area must lie inside its device", "[server]") {
    Machine machine;
    machine.disk("sda", MiB);
    machine.add("a", Claim::exclusive, {on("sda", 4096, MiB)});
    machine.add("b", Claim::exclusive, {on("sda", UINT64_MAX - 511, 512)});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: device \"sda\" is too small: start 4096, length 1048576, device size "
          "1048576\n"
          "f:2:1: b.table[0]: device \"sda\" is too small: start 18446744073709551104, length 512, "
          "device size 1048576");
}

TEST_CASE("there must be something behind an offset without a length", "[server]") {
    Machine machine;
    machine.file("empty.img", 0);
    machine.file("f.img", 4096);
    machine.add("a", Claim::exclusive, {on("empty.img")});
    machine.add("b", Claim::exclusive, {on("f.img", 4096)});
    machine.add("c", Claim::exclusive, {on("empty.img", 0, 512)});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: device \"empty.img\": want something behind offset 0, found a size "
          "of 0 bytes\n"
          "f:2:1: b.table[0]: device \"f.img\": want something behind offset 4096, found a size of "
          "4096 bytes\n"
          "f:3:1: c.table[0]: device \"empty.img\" is too small: start 0, length 512, device size "
          "0");
}

TEST_CASE("segments must begin at 0 and join, also when no file has said so", "[server]") {
    Machine machine;
    machine.file("f.img", 4096);
    machine.file("g.img", 4096);
    machine.add("a", Claim::exclusive, {on("f.img", 0, 0)});
    machine.add("b", Claim::exclusive, {on("f.img", 0, 512, 0), on("g.img", 0, 512, 1024)});
    machine.add("c", Claim::exclusive, {on("f.img", 512, 512, 0), on("g.img", 512, {}, 256)});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: want a length of at least 1 byte, got 0\n"
          "f:2:2: b.table[1]: gap in the table: starts at byte 1024, the segment before ends at "
          "byte 512\n"
          "f:3:2: c.table[1]: overlap in the table: starts at byte 256, the segment before ends at "
          "byte 512");
}

TEST_CASE("a table that ends beyond what an off_t can count is refused", "[server]") {
    Machine machine;
    machine.file("f.img", INT64_MAX);
    machine.file("g.img", 1);
    machine.add("a", Claim::exclusive, {on("f.img"), on("g.img")});
    CHECK(machine.report() ==
          "f:1:2: a.table[1]: want an end of at most 9223372036854775807 bytes (2^63 - 1), got "
          "start 9223372036854775807, length 1");
}

TEST_CASE("lengths and offsets on direct block devices are whole blocks", "[server]") {
    Machine machine;
    machine.disk("sda", MiB, 4096);
    machine.add("a", Claim::exclusive, {on("sda", 512, 8192), on("sda", 16384, 512)});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: offset 512: want a multiple of 4096, the logical block size of "
          "\"sda\"\n"
          "f:1:2: a.table[1]: start 8192, length 512: want a multiple of 4096, the logical block "
          "size of \"sda\"");
    machine.configuration.exports[0].cache = Cache::buffered;
    CHECK(machine.report().empty());
}

TEST_CASE("the largest block size binds the whole table", "[server]") {
    Machine machine;
    machine.disk("sda", MiB, 512);
    machine.disk("sdb", MiB, 4096);
    machine.file("f.img", 1000);
    machine.add("a", Claim::shared,
                {on("sda", 0, 2048), on("sdb", 0, 4096), on("sda", 4608, 4096), on("f.img")});
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: start 0, length 2048: want a multiple of 4096, the logical block "
          "size of \"sdb\"\n"
          "f:1:3: a.table[2]: offset 4608: want a multiple of 4096, the logical block size of "
          "\"sdb\"\n"
          "f:1:4: a.table[3]: start 10240, length 1000: want a multiple of 4096, the logical "
          "block size of \"sdb\"; give a \"length\"");
    machine.configuration.exports[0].table = {on("sda", 0, 4096), on("sdb", 0, 8192),
                                              on("f.img", 0, 0)};
    machine.file("f.img", 9000);
    machine.configuration.exports[0].table[2] = on("f.img", 5, 8192);
    CHECK(machine.report().empty());
}

TEST_CASE("files have no block size, even when opened direct", "[server]") {
    Machine machine;
    machine.file("f.img", 1000);
    machine.add("a", Claim::exclusive, {on("f.img", 3, 77), on("f.img", 100, 13)}).cache =
        Cache::direct;
    CHECK(machine.report().empty());
}

TEST_CASE("writable areas of one export must not overlap", "[server]") {
    Machine machine;
    machine.file("f.img", MiB);
    machine.alias("link", "f.img");
    machine.add("a", Claim::shared, {on("f.img", 0, 8192), on("link", 4096, 8192)});
    CHECK(machine.report() ==
          "f:1:2: a.table[1]: device \"f.img\" offset 4096 length 8192 overlaps device \"f.img\" "
          "offset 0 length 8192 of a.table[0]; no export may write to the same bytes twice");
    machine.configuration.exports[0].read_only = true;
    CHECK(machine.report().empty());
}

TEST_CASE("writable areas of two exports overlap only if both are shared", "[server]") {
    Machine machine;
    machine.file("f.img", MiB);
    machine.add("a", Claim::exclusive, {on("f.img", 0, 8192)});
    machine.add("b", Claim::exclusive, {on("f.img", 8191, 8192)});
    CHECK(machine.report() ==
          "f:2:1: b.table[0]: device \"f.img\" offset 8191 length 8192 overlaps device \"f.img\" "
          "offset 0 length 8192 of export \"a\", a.table[0]; exports may only write to the same "
          "bytes if all of them are shared");
    machine.configuration.exports[0].read_only = true;
    CHECK(machine.report().empty());
    machine.configuration.exports[0].read_only = false;
    machine.configuration.exports[0].claim = Claim::shared;
    machine.configuration.exports[1].claim = Claim::shared;
    CHECK(machine.report().empty());
}

TEST_CASE("a partition overlaps its disk where it lies", "[server]") {
    Machine machine;
    machine.disk("sda", 8 * MiB);
    machine.partition("sda1", "sda", MiB, MiB);
    machine.partition("sda2", "sda", 2 * MiB, MiB);
    machine.add("a", Claim::shared, {on("sda1"), on("sda2"), on("sda", 0, MiB)});
    CHECK(machine.report().empty());
    machine.configuration.exports[0].table[2].length = MiB + 512;
    CHECK(machine.report() ==
          "f:1:3: a.table[2]: device \"sda\" offset 0 length 1049088 overlaps device \"sda1\" "
          "offset 0 length 1048576 of a.table[0]; no export may write to the same bytes twice");
}

TEST_CASE("a disk and its partition cannot both be claimed exclusively", "[server]") {
    Machine machine;
    machine.disk("sda", 8 * MiB);
    machine.partition("sda1", "sda", MiB, MiB);
    machine.partition("sda2", "sda", 2 * MiB, MiB);
    machine.add("a", Claim::exclusive, {on("sda1")});
    machine.add("b", Claim::exclusive, {on("sda2")});
    CHECK(machine.report().empty());
    machine.add("c", Claim::exclusive, {on("sda", 0, MiB)}).read_only = true;
    CHECK(machine.report() ==
          "f:3:1: c.table[0]: device \"sda\" of export \"c\" and device \"sda1\" of export \"a\" "
          "are a disk and its partition: both cannot be claimed exclusively");
}

TEST_CASE("one device cannot have two claims, and both exports are named", "[server]") {
    Machine machine;
    machine.file("f.img", MiB);
    machine.file("g.img", MiB);
    machine.alias("link", "f.img");
    machine.add("a", Claim::exclusive, {on("f.img", 0, 4096)}).read_only = true;
    machine.add("b", Claim::shared, {on("g.img", 0, 4096), on("link", 4096, 4096)});
    CHECK(machine.report() == "f:2:2: b.table[1]: device \"link\": want one claim in all exports, "
                              "got shared in export \"b\" and exclusive in export \"a\"");
}

TEST_CASE("beside others an adopted claim is an exclusive one", "[server]") {
    Machine machine;
    machine.disk("sda", 8 * MiB);
    machine.partition("sda1", "sda", MiB, MiB);
    machine.add("a", Claim::adopted, {on("sda", 2 * MiB, MiB)});
    machine.add("b", Claim::shared, {on("sda1")});
    CHECK(machine.report().empty());
    machine.configuration.exports[1].claim = Claim::adopted;
    CHECK(machine.report().find("are a disk and its partition: both cannot be claimed") !=
          std::string::npos);
    machine.configuration.exports[1].claim = Claim::shared;
    machine.configuration.exports[0].table[0].offset = MiB;
    CHECK(machine.report().find("exports may only write to the same bytes if all of them are "
                                "shared") != std::string::npos);
    machine.configuration.exports[1].table[0].device = "sda";
    CHECK(machine.report().find("want one claim in all exports, got shared in export \"b\" and "
                                "adopted in export \"a\"") != std::string::npos);
    machine.configuration.exports.pop_back();
    machine.configuration.exports[0].cache = Cache::buffered;
    CHECK(machine.report().find("\"direct\"") != std::string::npos);
}

TEST_CASE("one device cannot have two cache modes", "[server]") {
    Machine machine;
    machine.file("f.img", MiB);
    machine.add("a", Claim::exclusive, {on("f.img", 0, 4096)});
    machine.add("b", Claim::exclusive, {on("f.img", 4096, 4096)}).cache = Cache::direct;
    CHECK(machine.report() == "f:2:1: b.table[0]: device \"f.img\": want one cache mode in all "
                              "exports, got direct in export \"b\" and buffered in export \"a\"");
}

TEST_CASE("an optional export is disabled by an absent device", "[server]") {
    Machine machine;
    machine.file("f.img", MiB);
    machine.add("a", Claim::exclusive, {on("f.img", 0, 512), on("sdz", 0, 512)}).optional = true;
    machine.add("b", Claim::shared, {on("f.img")});
    const Resolved resolved = machine.resolve();
    REQUIRE(resolved.warnings.size() == 1);
    CHECK(resolved.warnings[0] == "export \"a\" is disabled: device \"sdz\": found nothing");
    CHECK(resolved.exports[0].disabled_because == "device \"sdz\": found nothing");
    CHECK(resolved.exports[0].segments.empty());
    CHECK(resolved.exports[0].source == machine.configuration.exports.data());
    CHECK(resolved.exports[1].size == MiB);
}

TEST_CASE("a device that is absent or no device is a fault, once for its name", "[server]") {
    Machine machine;
    machine.file("f.img", 1);
    machine.add("a", Claim::exclusive,
                {on("sdz", 0, 512), on("sdz", 512, 512), on("f.img", 0, 512)});
    machine.add("b", Claim::exclusive, {on("dir")}).optional = true;
    CHECK(machine.report() ==
          "f:1:1: a.table[0]: device \"sdz\": found nothing\n"
          "f:1:3: a.table[2]: device \"f.img\" is too small: start 0, length 512, device size 1\n"
          "f:2:1: b.table[0]: device \"dir\": found a directory");
}

TEST_CASE("who rules are for is looked up, of listeners and of exports", "[server]") {
    const auto configuration = [](const std::string& user) {
        return config::parse(R"({"listen": ["tcp://h", {"unix": "s", "allow": [{"user": "root"}]}],
"exports": [{"name": "a", "allow": [{"user": )" + user + R"(, "access": "read_only"}],
             "dm_table": "0 8 linear /f 0"}]})",
                             "f", "/");
    };
    const auto probe = [](const std::string& name) {
        return DeviceInfo{.path = name, .node = name, .identity = {}, .place = {}, .size = 4096};
    };
    const auto right = configuration("0");
    const Resolved resolved = server::resolve(right, probe);
    REQUIRE(resolved.listeners.size() == 2);
    CHECK_FALSE(resolved.listeners[0].access);
    CHECK(resolved.listeners[1].access->rules().at(0).user == 0U);
    CHECK(resolved.exports[0].access->rules().at(0).user == 0U);
    CHECK(server::describe(resolved).find("listener unix:///s:\n"
                                          "    clients:\n"
                                          "        user \"root\" (0): read-write\n"
                                          "\n"
                                          "export \"a\": size 4096 (4 KiB), ") == 0);
    CHECK(server::describe(resolved).find("\n    clients:\n        user 0: read-only\n") !=
          std::string::npos);
    const auto wrong = configuration("\"no-such-user\"");
    try {
        server::resolve(wrong, probe);
        FAIL("it was taken");
    } catch (const config::ConfigError& why) {
        CHECK(std::string(why.what()) == "f:2:46: exports[0].allow[0].user: want a user that this "
                                         "system knows, got \"no-such-user\"");
    }
}

TEST_CASE("a hundred thousand segments are resolved with one probe a device", "[server]") {
    Machine machine;
    machine.file("f.img", 100000 * 4096);
    machine.file("g.img", 100000 * 4096);
    std::vector<config::Segment> table;
    for (std::uint64_t i = 0; i < 100000; ++i)
        table.push_back(on(i % 2 == 0 ? "f.img" : "g.img", (99999 - i) * 4096, 4096));
    machine.add("a", Claim::exclusive, table);
    CHECK(machine.resolve().exports[0].size == 100000U * 4096);
    CHECK(machine.probes == 2);
}

TEST_CASE("resolved exports are described with every number in full", "[server]") {
    Machine machine;
    machine.disk("/dev/sdb", 16 * MiB, 4096);
    machine.file("/srv/a b.img", 5000);
    auto& one = machine.add("vol\n0", Claim::exclusive,
                            {on("/dev/sdb", MiB, 4096), on("/srv/a b.img", 0, 4096)});
    one.description = "two of them";
    one.allow = std::vector<config::AccessRule>{
        {.address = config::parse_range("10.0.0.0/8")},
        {.address = config::parse_range("::/0"), .access = config::Access::read_only},
        {.address = {}, .access = config::Access::read_only}};
    machine.add("gone", Claim::shared, {on("/dev/sdz")}).optional = true;
    CHECK(server::describe(machine.resolve()) ==
          "export \"vol\\n0\": size 8192 (8 KiB), claim exclusive, read-write\n"
          "    description: two of them\n"
          "    clients:\n"
          "        address 10.0.0.0/8: read-write\n"
          "        address ::/0: read-only\n"
          "        anybody: read-only\n"
          "    device /dev/sdb: block device 0:1, size 16777216 (16 MiB), logical block size 4096, "
          "direct I/O\n"
          "    device /srv/a b.img: regular file 0:1 inode 2, size 5000 (4.88 KiB), buffered I/O\n"
          "    segments: 2\n"
          "    start         length        device        offset\n"
          "    0             4096 (4 KiB)  /dev/sdb      1048576 (1 MiB)\n"
          "    4096 (4 KiB)  4096 (4 KiB)  /srv/a b.img  0\n"
          "\n"
          "export \"gone\": disabled: device \"/dev/sdz\": found nothing\n");
}

TEST_CASE("that there are no exports is said", "[server]") {
    CHECK(server::describe(Machine().resolve()) == "no exports\n");
}

TEST_CASE("of a long table the two ends are described", "[server]") {
    const auto lines = [](std::uint64_t segments) {
        Machine machine;
        machine.file("f", segments * 10);
        std::vector<config::Segment> table;
        for (std::uint64_t i = 0; i < segments; ++i)
            table.push_back(on("f", i * 10, 10));
        machine.add("a", Claim::shared, table).read_only = true;
        return server::describe(machine.resolve());
    };
    CHECK(lines(64).find("more segments") == std::string::npos);
    const std::string text = lines(65);
    CHECK(text.find("    segments: 65\n") != std::string::npos);
    CHECK(text.find("    70     10      f       70\n    ... 49 more segments ...\n"
                    "    570 ") != std::string::npos);
    CHECK(text.find(", claim shared, read-only\n    clients: all\n") != std::string::npos);
}
