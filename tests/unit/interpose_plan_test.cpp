#include "interposectl/errors.hpp"
#include "interposectl/interpose_plan.hpp"

#include <catch2/catch.hpp>

using namespace interposed::ctl;
using namespace interposed::volume;
using Catch::Contains;

namespace {

Facts facts() {
    Facts facts;
    facts.volume = {.name = "vg-lv",
                    .uuid = "LVM-x",
                    .live = parse_lines({"0 2048 linear 8:0 384", "2048 2048 linear 8:16 0"})};
    facts.sectors = 4096;
    facts.queue = {.logical_block_size = 4096, .write_back = true};
    facts.has_nbd = true;
    facts.mounts = {"/srv"};
    return facts;
}

InterposePlan plan(std::vector<std::string> words, const Facts& of = facts()) {
    words.insert(words.begin(), "interpose");
    words.emplace_back("vg-lv");
    return plan_for(parse_arguments(words), of);
}

} // namespace

TEST_CASE("an export has the volume's lines as they are, shared, and nobody's", "[interposectl]") {
    CHECK(export_of(plan({})).dump() ==
          R"({"name":"interposed-vg-lv","description":"in the path of the volume vg-lv",)"
          R"("claim":"shared","cache":"direct","kernel_only":true,)"
          R"("dm_table":["0 2048 linear 8:0 384","2048 2048 linear 8:16 0"]})");
    CHECK(export_of(plan({"--export", "e"}))["name"] == "e");
}

TEST_CASE("the device gets the volume's logical block size", "[interposectl]") {
    const Json attach = attach_of(plan({}));
    CHECK(attach["block_size"] == 4096);
    CHECK(attach["device"] == "auto");
    CHECK(attach_of(plan({"--device", "/dev/nbd7"}))["device"] == "/dev/nbd7");
}

TEST_CASE("a risk is taken only if it is asked for, harm never", "[interposectl]") {
    Facts risky = facts();
    risky.mounts = {"/"};
    CHECK(plan({}).possible());
    CHECK_FALSE(plan({}, risky).possible());
    CHECK(plan({"--force"}, risky).possible());
    CHECK_THROWS_WITH(refuse_for(plan({}, risky).findings, false),
                      Contains("the root filesystem is on it") &&
                          Contains("--force does it all the same"));
    CHECK_NOTHROW(refuse_for(plan({}, risky).findings, true));
    risky.swaps = {"/swap"};
    CHECK_FALSE(plan({"--force"}, risky).possible());
    CHECK_THROWS_WITH(refuse_for(plan({}, risky).findings, true),
                      Contains("swap is on it") && !Contains("root"));
}

TEST_CASE("the plan is printed, with what there is to say of it", "[interposectl]") {
    const std::string text = plan_text(plan({}));
    CHECK_THAT(text, Contains("warning: volume \"vg-lv\": LVM thinks"));
    CHECK_THAT(text, Contains("  0 2048 linear 8:0 384\n  2048 2048 linear 8:16 0\n"));
    CHECK_THAT(text, Contains("  0 4096 linear NBD 0\n"));
    CHECK_THAT(text, Contains("nothing forbids it; nothing was done"));
    const Json json = plan_json(plan({}));
    CHECK(json["size"] == 4096 * 512);
    CHECK(json["possible"] == true);
    CHECK(json["findings"][0]["weight"] == "warning");
}

TEST_CASE("a volume falls back only if it is asked for, and after so long", "[interposectl]") {
    CHECK_FALSE(plan({}).fail_open);
    CHECK(plan({"--fail-open"}).fail_open->patience_s == 30);
    CHECK(plan({"--fail-open", "--fail-open-after", "7"}).fail_open->patience_s == 7);
    CHECK_THROWS_AS(plan({"--fail-open-after", "7"}), UsageError);
    CHECK_THROWS_AS(plan({"--fail-open", "--fail-open-after", "0"}), UsageError);
    CHECK_THROWS_AS(plan({"--fail-open", "--fail-open-after", "241"}), UsageError);
    CHECK_THAT(plan_text(plan({"--fail-open"})),
               Contains("and a guard: if there is no server for 30 s, the table is as now again"));
    CHECK_THAT(plan_text(plan({})), !Contains("guard"));
    CHECK(plan_json(plan({"--fail-open"}))["fail_open_after_s"] == 30);
    CHECK(plan_json(plan({}))["fail_open_after_s"].is_null());
}

TEST_CASE("a guard is told what the volume was, is, and who serves it", "[interposectl]") {
    Interposition one;
    one.volume = "vg-lv";
    one.identifier = "interposed.vg-lv";
    one.export_name = "interposed-vg-lv";
    one.device = "/dev/nbd3";
    one.before = facts().volume.live;
    one.after = parse_lines({"0 4096 linear 43:96 0"});
    const auto told =
        guarded_of(one, {.major = 253, .minor = 2}, {.control = "/run/c", .patience_s = 9});
    CHECK(told.identifier == "interposed.vg-lv");
    CHECK(told.number == DeviceNumber{253, 2});
    CHECK(told.before == one.before);
    CHECK(told.after == one.after);
    CHECK(told.control == "/run/c");
    CHECK(told.patience_s == 9);
    // The kernel has to wait for longer than a server that hangs is waited for.
    CHECK(told.dead_conn_timeout_s > 2 * 240 + told.timeout_s);
    CHECK(attach_of(plan({}))["dead_conn_timeout_s"] == told.dead_conn_timeout_s);
}

TEST_CASE("how long I/O may be held has bounds", "[interposectl]") {
    CHECK(plan({}).limit.count() == 30);
    CHECK(plan({"--timeout", "5"}).limit.count() == 5);
    CHECK_THROWS_AS(plan({"--timeout", "0"}), UsageError);
    CHECK_THROWS_AS(plan({"--timeout", "3601"}), UsageError);
    CHECK_THROWS_AS(plan({"--timeout", "1.5"}), UsageError);
}
