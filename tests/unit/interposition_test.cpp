#include "interposectl/errors.hpp"
#include "interposectl/standing.hpp"
#include "interposectl/undo.hpp"

#include <catch2/catch.hpp>
#include <stdexcept>

using namespace interposed::ctl;
using interposed::volume::Mapped;
using interposed::volume::parse_lines;

namespace {

using State = Interposition::State;

const Json attachments = Json::parse(R"({"attachments":[
    {"export":"plain","device":"/dev/nbd0","identifier":"a","state":"serving"},
    {"export":"interposed-vol","device":"/dev/nbd1","identifier":"b","state":"serving",
     "interposed":{"volume":"vol","uuid":"LVM-1","before":["0 8 linear 8:0 0","8 8 linear 8:16 0"],
                   "after":["0 16 linear 43:32 0"],"since":"2026-11-24T18:00:00Z","state":"in",
                   "fail_open":false}}]})");
const Json exports = Json::parse(R"({"exports":[{"name":"plain","claim":"shared"},
                                                {"name":"interposed-vol","claim":"adopted"}]})");

Interposition example() {
    return read_interpositions(attachments, exports).at(0);
}

Mapped live(const std::vector<std::string>& lines) {
    return {.name = "vol", .live = parse_lines(lines)};
}

} // namespace

TEST_CASE("the attachments of volumes are found among all", "[interposectl]") {
    const auto all = read_interpositions(attachments, exports);
    REQUIRE(all.size() == 1);
    CHECK(all[0].export_name == "interposed-vol");
    CHECK(all[0].identifier == "b");
    CHECK(all[0].claimed);
    CHECK(all[0].before.size() == 2);
    CHECK(mark_of(all[0]) == attachments["attachments"][1]["interposed"]);
}

TEST_CASE("what is no interposition is no server of ours", "[interposectl]") {
    Json broken = attachments;
    broken["attachments"][1]["interposed"]["state"] = "beside";
    CHECK_THROWS_AS(read_interpositions(broken, exports), Unreachable);
    broken["attachments"][1]["interposed"].erase("before");
    CHECK_THROWS_AS(read_interpositions(broken, exports), Unreachable);
}

TEST_CASE("a volume is known by its uuid, or else by its name", "[interposectl]") {
    std::vector<Interposition> all = {example()};
    CHECK(find_interposition(all, "renamed", "LVM-1"));
    CHECK_FALSE(find_interposition(all, "vol", "LVM-2"));
    CHECK_FALSE(find_interposition(all, "vol", ""));
    all[0].uuid = "";
    CHECK(find_interposition(all, "vol", ""));
    CHECK_FALSE(find_interposition(all, "other", ""));
}

TEST_CASE("what has become of a volume is said", "[interposectl]") {
    Interposition one = example();
    const auto ours = live({"0 16 linear 43:32 0"});
    const auto standing = [&](const std::optional<Mapped>& now) { return standing_of(one, now); };
    CHECK(standing(ours).good);
    CHECK(standing(ours).text == "ours");
    CHECK(standing(std::nullopt).text.starts_with("GONE"));
    CHECK(standing(live({"0 16 linear 8:32 0"})).text ==
          "CHANGED by somebody else: 0 16 linear 8:32 0");
    CHECK(standing(live({"0 8 linear 8:0 0", "8 8 linear 8:16 0"}))
              .text.starts_with("CHANGED by somebody else: it is as before"));
    Mapped touched = ours;
    touched.inactive_table = true;
    CHECK_FALSE(standing(touched).good);
    touched.suspended = true;
    CHECK(standing(touched).text == "SUSPENDED by somebody");
    one.serving = "waiting";
    CHECK(standing(ours).text == "ours, but the server does not serve it: waiting");
}

TEST_CASE("of a volume that only its guard knows of, it is said how far it is", "[interposectl]") {
    using State = interposed::fallback::Guarded::State;
    interposed::fallback::Guarded one;
    one.patience_s = 7;
    one.since = "2026-11-24T18:00:00Z";
    CHECK(standing_of(one).text == "no server knows of it: its guard waits 7 s for one");
    one.state = State::standing_in;
    CHECK(standing_of(one).text == "its guard is leading it back to its disks");
    one.state = State::fallen_back;
    CHECK(standing_of(one).text.starts_with("FALLEN BACK to its disks at 2026-11-24T18:00:00Z"));
    CHECK_FALSE(standing_of(one).good);
}

TEST_CASE("what was begun and not finished is said", "[interposectl]") {
    Interposition one = example();
    one.state = State::entering;
    CHECK(standing_of(one, live({"0 16 linear 43:32 0"})).text.find("`interpose` again") !=
          std::string::npos);
    one.state = State::leaving;
    CHECK(standing_of(one, live({"0 16 linear 43:32 0"})).text.find("`release` again") !=
          std::string::npos);
    CHECK(standing_of(one, live({"0 8 linear 8:0 0", "8 8 linear 8:16 0"}))
              .text.starts_with("out, unfinished"));
}

TEST_CASE("steps are undone from the last to the first, up to one that cannot be",
          "[interposectl]") {
    std::string order;
    Undo undo;
    undo.add("made", [&] { order += "1"; });
    undo.add("attached", [] { throw std::runtime_error("the server is gone"); });
    undo.add("marked", [&] { order += "3"; });
    CHECK(undo.run() == "\nundone: marked\nNOT undone: attached: the server is gone"
                        "\nleft as it is, because of that: made");
    CHECK(order == "3");
    CHECK(undo.run().empty());
}
