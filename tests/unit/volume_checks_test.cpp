#include "volume/checks.hpp"

#include <catch2/catch.hpp>

using namespace interposed::volume;

namespace {

using Weight = Finding::Weight;

/// A volume that nothing is to be said of.
Facts good() {
    Facts facts;
    facts.volume = {.name = "vol",
                    .uuid = "",
                    .number = {253, 0},
                    .live = parse_lines({"0 2048 linear 8:0 0", "2048 2048 linear 8:16 64"})};
    facts.node = "dm-0";
    facts.sectors = 4096;
    facts.queue = {.logical_block_size = 512, .write_back = true};
    facts.has_nbd = true;
    facts.disks = {"sda", "sdb"};
    facts.mounts = {"/srv"};
    return facts;
}

/// The only finding of these facts.
Finding only(const Facts& facts) {
    const std::vector<Finding> all = check(facts);
    REQUIRE(all.size() == 1);
    CHECK(all.front().text.starts_with("volume \"vol\": "));
    return all.front();
}

void check_only(const Facts& facts, Weight weight, const std::string& text) {
    const Finding finding = only(facts);
    CHECK(finding.weight == weight);
    CHECK_THAT(finding.text, Catch::Contains(text));
}

void check_needed(Use use, Weight weight, const std::string& text) {
    Facts facts = good();
    facts.server = {{use, "/srv/x"}};
    check_only(facts, weight, text);
    CHECK_THAT(check(facts).front().text, Catch::Contains("\"/srv/x\", is on it"));
}

} // namespace

TEST_CASE("of a good volume nothing is to be said", "[volume]") {
    CHECK(check(good()).empty());
}

TEST_CASE("targets other than linear are refused by name", "[volume]") {
    Facts facts = good();
    facts.volume.live[1] = parse_line("2048 2048 striped 1 8 8:16 0");
    check_only(facts, Weight::refusal,
               "want linear targets only, found \"2048 2048 striped 1 8 8:16 0\"");
}

TEST_CASE("a volume that is not whole, or not at rest, is refused", "[volume]") {
    Facts facts = good();
    SECTION("no table") {
        facts.volume.live.clear();
        check_only(facts, Weight::refusal, "want a live table, found none");
    }
    SECTION("a table of another size") {
        facts.sectors = 8192;
        check_only(facts, Weight::refusal, "8192 sectors, found 4096");
    }
    SECTION("suspended") {
        facts.volume.suspended = true;
        check_only(facts, Weight::refusal, "it is suspended");
    }
    SECTION("an inactive table") {
        facts.volume.inactive_table = true;
        check_only(facts, Weight::refusal, "has loaded an inactive table");
    }
    SECTION("read-only") {
        facts.volume.read_only = true;
        check_only(facts, Weight::refusal, "found a read-only one");
    }
    SECTION("on a read-only disk") {
        facts.read_only = {"sdb"};
        check_only(facts, Weight::refusal, "found sdb read-only");
    }
    SECTION("zoned") {
        facts.queue.zoned = "host-managed";
        check_only(facts, Weight::refusal, "found a host-managed zoned one");
    }
}

TEST_CASE("what is around a volume is looked at", "[volume]") {
    Facts facts = good();
    SECTION("no nbd driver") {
        facts.has_nbd = false;
        check_only(facts, Weight::refusal, "`modprobe nbd` loads it");
    }
    SECTION("swap") {
        facts.swaps = {"/srv/swap"};
        check_only(facts, Weight::refusal, "swap is on it, /srv/swap");
    }
    SECTION("the root filesystem") {
        facts.mounts = {"/"};
        check_only(facts, Weight::risk, "the root filesystem is on it");
    }
    SECTION("another volume on the disk") {
        facts.neighbours = {{.name = "vg-other", .disk = "sda"}};
        check_only(facts, Weight::warning, "\"vg-other\" is on sda too");
    }
    SECTION("another volume on the same sectors") {
        facts.neighbours = {{.name = "twin", .disk = "sda", .overlaps = true}};
        check_only(facts, Weight::warning, "\"twin\" has the same sectors of sda");
    }
    SECTION("LVM") {
        facts.volume.uuid = "LVM-abc";
        check_only(facts, Weight::warning, "lvextend");
    }
    SECTION("something on top of it") {
        facts.stacked = {"dm-1", "dm-2"};
        check_only(facts, Weight::note, "on top of it: dm-1, dm-2");
    }
}

TEST_CASE("a server that needs the volume would wait for itself", "[volume]") {
    check_needed(Use::program, Weight::risk, "the server's program");
    check_needed(Use::library, Weight::risk, "a library of the server's");
    check_needed(Use::working_folder, Weight::risk, "the server's working folder");
    check_needed(Use::core_dumps, Weight::risk, "core dumps");
    check_needed(Use::open_file, Weight::refusal, "open for writing");
    check_needed(Use::socket, Weight::refusal, "a socket of the server's");
    check_needed(Use::state_folder, Weight::refusal, "the server's state_dir");
    check_needed(Use::configuration, Weight::risk, "the server's configuration");
    check_needed(Use::lease_folder, Weight::refusal, "the folder of the leases");
}

TEST_CASE("what the server is missing is said", "[volume]") {
    Facts facts = good();
    SECTION("a state_dir") {
        facts.server_keeps_state = false;
        check_only(facts, Weight::risk, "the server has no state_dir");
    }
    SECTION("a place for interposectl that is not the volume itself") {
        facts.own = {{Use::program, "/srv/interposectl"}, {Use::library, "/srv/libc.so"}};
        check_only(facts, Weight::warning, "interposectl itself is on it");
    }
}

TEST_CASE("a server that memory pressure could take away is warned of", "[volume]") {
    CHECK(check(Memory{.locked = true, .oom_score_adj = -1000}).empty());
    const std::vector<Finding> all = check(Memory{.locked = false, .oom_score_adj = 0});
    REQUIRE(all.size() == 2);
    CHECK_THAT(all[0].text, Catch::Contains("want it locked in memory"));
    CHECK_THAT(all[1].text, Catch::Contains("its oom_score_adj is 0"));
}

TEST_CASE("the gravest finding comes first", "[volume]") {
    Facts facts = good();
    facts.stacked = {"dm-1"};
    facts.volume.uuid = "LVM-abc";
    facts.mounts = {"/"};
    facts.swaps = {"/swap"};
    std::vector<Weight> weights;
    for (const Finding& each : check(facts))
        weights.push_back(each.weight);
    CHECK(weights ==
          std::vector<Weight>{Weight::refusal, Weight::risk, Weight::warning, Weight::note});
}

TEST_CASE("a device that would change what a filesystem relies on is refused", "[volume]") {
    const Queue volume{.logical_block_size = 512, .write_back = true};
    Queue device = volume;
    CHECK(compare(volume, device, "/dev/nbd0").empty());
    SECTION("blocks") {
        device.logical_block_size = 4096;
        CHECK(compare(volume, device, "/dev/nbd0") ==
              std::vector<Finding>{{Weight::refusal, "/dev/nbd0: want the volume's logical blocks "
                                                     "of 512 bytes, found 4096"}});
    }
    SECTION("flushes") {
        device.write_back = false;
        const auto all = compare(volume, device, "/dev/nbd0");
        REQUIRE(all.size() == 1);
        CHECK(all[0].weight == Weight::refusal);
        CHECK_THAT(all[0].text, Catch::Contains("found write through: flushes would be lost"));
        CHECK(compare(device, volume, "/dev/nbd0").empty());
    }
    SECTION("what only makes it slower") {
        device.max_request = 131072;
        const auto all = compare(volume, device, "/dev/nbd0");
        REQUIRE(all.size() == 1);
        CHECK(all[0].weight == Weight::note);
        CHECK_THAT(all[0].text,
                   Catch::Contains("the largest request was none") && Catch::Contains("128 KiB"));
    }
}
