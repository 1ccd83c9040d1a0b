#include "attach/lock_file.hpp"
#include "fallback/guarded.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

using namespace interposed;
using fallback::Guarded;
using fallback::GuardFiles;

namespace {

Guarded example(const std::string& identifier) {
    Guarded one;
    one.identifier = identifier;
    one.volume = "vg-\"lv\"";
    one.uuid = "LVM-" + identifier;
    one.number = {.major = 253, .minor = 4};
    one.before = volume::parse_lines({"0 8 linear 8:0 384", "8 8 linear 8:16 0"});
    one.after = volume::parse_lines({"0 16 linear 43:32 0"});
    one.export_name = "interposed-lv";
    one.device = "/dev/nbd1";
    one.control = "/run/interposed/control.sock";
    one.patience_s = 12;
    one.timeout_s = 4;
    one.dead_conn_timeout_s = 500;
    one.state = Guarded::State::standing_in;
    one.since = "2026-11-24T18:00:00Z";
    return one;
}

} // namespace

TEST_CASE("what a guard is told is read again as it was written", "[fallback]") {
    const tests::TemporaryDirectory folder;
    const GuardFiles files(folder.file("guards"));
    CHECK(files.all().empty());
    CHECK_FALSE(files.find("a"));
    const Guarded one = example("a");
    files.put(one);
    const auto found = files.find("a");
    REQUIRE(found);
    CHECK(found->volume == one.volume);
    CHECK(found->uuid == one.uuid);
    CHECK(found->number == one.number);
    CHECK(found->before == one.before);
    CHECK(found->after == one.after);
    CHECK(found->export_name == one.export_name);
    CHECK(found->device == one.device);
    CHECK(found->control == one.control);
    CHECK(found->patience_s == 12);
    CHECK(found->timeout_s == 4);
    CHECK(found->dead_conn_timeout_s == 500);
    CHECK(found->state == one.state);
    CHECK(found->since == one.since);
    files.remove("a");
    files.remove("a");
    CHECK_FALSE(files.find("a"));
}

TEST_CASE("a volume is known by its uuid, or where it has none by its name", "[fallback]") {
    const tests::TemporaryDirectory folder;
    const GuardFiles files(folder.file("guards"));
    Guarded nameless = example("b");
    nameless.uuid = "";
    files.put(example("a"));
    files.put(nameless);
    CHECK(files.all().size() == 2);
    CHECK(files.find_volume("renamed", "LVM-a")->identifier == "a");
    CHECK(files.find_volume("vg-\"lv\"", "")->identifier == "b");
    CHECK_FALSE(files.find_volume("vg-\"lv\"", "LVM-other"));
}

TEST_CASE("a file that tells of no volume is named, and keeps nobody from the others",
          "[fallback]") {
    const tests::TemporaryDirectory folder;
    const GuardFiles files(folder.file("guards"));
    files.put(example("a"));
    for (const char* const text :
         {"", "{", "[]", "{\"identifier\": 1}", "{\"identifier\": \"x\"}"}) {
        (void)folder.make_text("guards/x.json", text);
        CHECK_THROWS_WITH(files.find("x"), Catch::Contains("x.json: tells of no volume to guard"));
        CHECK(files.all().size() == 1);
    }
}

TEST_CASE("who has a lock file is seen, and another has it when they are gone", "[fallback]") {
    const tests::TemporaryDirectory folder;
    const GuardFiles files(folder.file("guards"));
    const std::string path = files.lock_of("a");
    CHECK_FALSE(files.is_guarded("a"));
    {
        const auto mine = attach::LockFile::take(path);
        REQUIRE(mine);
        CHECK(files.is_guarded("a"));
        CHECK_FALSE(files.are_all_guarded());
        CHECK_FALSE(attach::LockFile::take(path));
        CHECK(attach::LockFile::holder_of(path) == "pid " + std::to_string(::getpid()));
        CHECK(attach::LockFile::is_held_by(path, ::getpid()));
        CHECK_FALSE(attach::LockFile::is_held_by(path, ::getppid()));
        CHECK_FALSE(attach::LockFile::is_held_by(files.lock_of("b"), ::getpid()));
    }
    CHECK_FALSE(files.is_guarded("a"));
    CHECK_FALSE(attach::LockFile::is_held_by(path, ::getpid()));
    const auto next = attach::LockFile::wait_for(path);
    CHECK(files.is_guarded("a"));
}
