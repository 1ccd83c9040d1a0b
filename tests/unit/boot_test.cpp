#include "control/boot.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <set>
#include <string>

using namespace interposed;
using control::Record;

namespace {

config::Export an_export(const std::string& name, config::Claim claim) {
    config::Export made;
    made.name = name;
    made.claim = claim;
    config::Segment segment;
    segment.device = "/dev/null/x";
    segment.start = 0;
    segment.length = 4096;
    made.table.push_back(segment);
    return made;
}

void put(control::StateStore& store, Record::Origin origin, config::Export live) {
    const std::string name = live.name;
    const auto pending = store.prepare(
        name, Record{.origin = origin, .live = std::move(live), .loaded = std::nullopt});
    store.commit(*pending, [] { return true; });
}

config::Export interposed_export(const std::string& name) {
    config::Export made = an_export(name, config::Claim::adopted);
    made.interposed.emplace();
    made.interposed->volume = "vol";
    made.interposed->state = "in";
    made.attach.emplace();
    made.attach->device = "/dev/nbd0";
    return made;
}

} // namespace

TEST_CASE("what was interposed before a reboot is forgotten, and adopted claims are shared again",
          "[control]") {
    const tests::TemporaryDirectory folder;
    const std::string path = folder.file("state");
    {
        control::StateStore store(path);
        CHECK(control::forget_other_boot(store, "one").empty());
        put(store, Record::Origin::created, interposed_export("made"));
        put(store, Record::Origin::changed, interposed_export("files"));
        put(store, Record::Origin::changed, an_export("adopted", config::Claim::adopted));
        put(store, Record::Origin::created, an_export("plain", config::Claim::exclusive));
        CHECK(control::forget_other_boot(store, "one").empty());
        CHECK(store.records().size() == 4);
        CHECK(control::forget_other_boot(store, "").empty());
    }
    control::StateStore store(path);
    const auto forgotten = control::forget_other_boot(store, "two");
    CHECK(forgotten.size() == 3);
    CHECK_FALSE(store.records().contains("made"));
    const auto& files = *store.records().at("files").live;
    CHECK_FALSE(files.interposed);
    CHECK_FALSE(files.attach);
    CHECK(files.claim == config::Claim::shared);
    CHECK(store.records().at("adopted").live->claim == config::Claim::shared);
    CHECK(store.records().at("plain").live->claim == config::Claim::exclusive);
    CHECK(control::forget_other_boot(store, "two").empty());
}

TEST_CASE("what a volume does not lead to any more is forgotten, and nothing else", "[control]") {
    const tests::TemporaryDirectory folder;
    control::StateStore store(folder.file("state"));
    const auto add = [&](const std::string& name, const std::string& device,
                         const std::string& state, Record::Origin origin) {
        auto made = interposed_export(name);
        made.attach->device = device;
        made.interposed->state = state;
        put(store, origin, std::move(made));
    };
    add("led-to", "/dev/nbd0", "in", Record::Origin::created);
    add("ended", "/dev/nbd1", "in", Record::Origin::created);
    add("entering", "/dev/nbd2", "entering", Record::Origin::created);
    add("leaving", "/dev/nbd3", "leaving", Record::Origin::created);
    add("files", "/dev/nbd4", "in", Record::Origin::changed);
    put(store, Record::Origin::created, an_export("adopted", config::Claim::adopted));
    const auto kernel = [](const std::string& device) { return device == "/dev/nbd0"; };

    const auto forgotten = control::forget_ended(store, kernel);

    REQUIRE(forgotten.size() == 2);
    CHECK(forgotten[0] == "export \"ended\": volume \"vol\" does not lead to it any more, so it is "
                          "forgotten");
    std::set<std::string> left;
    for (const auto& [name, record] : store.records())
        left.insert(name);
    CHECK(left == std::set<std::string>{"adopted", "entering", "files", "leaving", "led-to"});
    CHECK(store.records().at("led-to").live->claim == config::Claim::adopted);
    const auto& files = *store.records().at("files").live;
    CHECK_FALSE(files.interposed);
    CHECK_FALSE(files.attach);
    CHECK(files.claim == config::Claim::shared);
    CHECK(control::forget_ended(store, kernel).empty());
}

TEST_CASE("what cannot be told of the kernel is taken to be as it was", "[control]") {
    CHECK(control::is_built_upon("auto"));
    CHECK(control::is_built_upon("/dev/elsewhere"));
    CHECK_FALSE(control::is_built_upon("/dev/nbd999")); // there is none here
}
