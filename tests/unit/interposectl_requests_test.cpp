#include "interposectl/definition.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/requests.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>

using namespace interposed::ctl;
using interposed::tests::TemporaryDirectory;

namespace {

/// The request as the server gets it: METHOD PARAMS.
std::string asked(const std::vector<std::string>& words) {
    const Request request = request_for(parse_arguments(words));
    return request.method + " " + request.params.dump();
}

} // namespace

TEST_CASE("every verb has a request", "[interposectl]") {
    CHECK(asked({"ls"}) == "export.list {}");
    CHECK(asked({"status"}) == "export.status {}");
    CHECK(asked({"status", ""}) == R"(export.status {"name":""})");
    CHECK(asked({"table", "v"}) == R"(export.table {"name":"v","slot":"live"})");
    CHECK(asked({"map", "--inactive", "v"}) == R"(export.table {"name":"v","slot":"inactive"})");
    CHECK(asked({"remove", "v"}) == R"(export.remove {"name":"v"})");
    CHECK(asked({"remove", "--drain", "v"}) == R"(export.remove {"name":"v","clients":"drain"})");
    CHECK(asked({"clear", "v"}) == R"(export.clear {"name":"v"})");
    CHECK(asked({"suspend", "v", "--noflush", "--timeout", "1.5"}) ==
          R"(export.suspend {"name":"v","flush":false,"timeout_s":1.5})");
    CHECK(asked({"resume", "v", "--timeout", "5"}) ==
          R"(export.resume {"name":"v","timeout_s":5})");
    CHECK(asked({"resize", "v"}) == R"(export.resize {"name":"v"})");
    CHECK(asked({"resize", "v", "1MiB"}) == R"(export.resize {"name":"v","size":1048576})");
    CHECK(asked({"reopen", "v"}) == R"(export.reopen {"name":"v"})");
    CHECK(asked({"drain"}) == R"(export.drain {"on":true})");
    CHECK(asked({"drain", "--undo", "v"}) == R"(export.drain {"name":"v","on":false})");
    CHECK(asked({"qos", "v"}) == R"(export.status {"name":"v"})");
    CHECK(asked({"qos", "v", "--iops", "5", "--client-bandwidth-burst", "1KiB"}) ==
          R"(export.qos {"name":"v","qos":{"client_bandwidth_burst":1024,"iops":5}})");
    CHECK(asked({"claim", "v", "adopted"}) == R"(export.adopt {"name":"v"})");
    CHECK(asked({"claim", "--timeout", "5", "v", "shared"}) ==
          R"(export.release {"name":"v","timeout_s":5})");
    CHECK(asked({"sessions", "v"}) == R"(session.list {"export":"v"})");
    CHECK(asked({"disconnect", "7"}) == R"(session.disconnect {"session":7})");
    CHECK(asked({"disconnect", "--now", "--export", "v"}) ==
          R"(session.disconnect {"export":"v","how":"now"})");
    CHECK(asked({"trace", "off", "--client", "::1"}) == R"(trace {"client":"::1","on":false})");
    CHECK(asked({"log"}) == "log {}");
    CHECK(asked({"log", "--level", "debug", "--format", "json"}) ==
          R"(log {"level":"debug","format":"json"})");
    CHECK(asked({"reload"}) == "reload {}");
    CHECK(asked({"reload", "--disconnect", "--runtime-wins"}) ==
          R"(reload {"removed":"disconnect","runtime":"runtime"})");
    CHECK(asked({"reload", "--configuration-wins"}) == R"(reload {"runtime":"configuration"})");
    CHECK(asked({"statistics"}) == "statistics {}");
    CHECK(asked({"metrics"}) == "metrics {}");
    CHECK(asked({"wait", "any"}) == R"(wait {"event":"any"})");
    CHECK(asked({"wait", "drained", "v", "--timeout", "9"}) ==
          R"(wait {"event":"drained","export":"v","timeout_s":9})");
    CHECK(asked({"version"}) == "version {}");
}

TEST_CASE("values and combinations that mean nothing never reach the server", "[interposectl]") {
    for (const auto& words : {std::vector<std::string>{"remove", "v", "--drain", "--disconnect"},
                              {"reload", "--runtime-wins", "--configuration-wins"},
                              {"drain", "--undo", "--wait"},
                              {"disconnect"},
                              {"disconnect", "7", "--export", "v"},
                              {"disconnect", "--client", "::1", "--export", "v"},
                              {"disconnect", "seven"},
                              {"trace", "on"},
                              {"trace", "maybe", "7"},
                              {"log", "--level", "loud"},
                              {"wait", "christmas"},
                              {"qos", "v", "--iops", "1KiB"},
                              {"resize", "v", "big"}})
        CHECK_THROWS_AS(asked(words), UsageError);
}

TEST_CASE("a file's text is sent with its name and folder", "[interposectl]") {
    const TemporaryDirectory folder;
    const std::string file = folder.make_text("./export.json", "{\"name\": // mine\n\"v\"}");

    const Json params = request_for(parse_arguments({"create", file})).params;

    CHECK(params["definition"] == "{\"name\": // mine\n\"v\"}");
    CHECK(params["file"] == file);
    CHECK(params["folder"] == folder.path().string());
}

TEST_CASE("lines of dmsetup are told from JSON before they are loaded", "[interposectl]") {
    const TemporaryDirectory folder;
    const std::string lines = folder.make_text("lines", "0 8 linear /dev/sdb 0\n");
    const std::string json = folder.make_text("json", " // lines?\n[]");

    CHECK_NOTHROW(asked({"load", "--dm", "v", lines}));
    CHECK_THROWS_AS(asked({"load", "--dm", "v", json}), LocalFailure);
    CHECK(looks_like_json("/* */ {"));
    CHECK_FALSE(looks_like_json("# {"));
    CHECK_FALSE(looks_like_json(""));
}

TEST_CASE("a file that is no text is refused with the place, one that is absent by its name",
          "[interposectl]") {
    const TemporaryDirectory folder;
    const std::string file = folder.make_text("bytes", "{\n \xff}");

    try {
        (void)read_definition(file);
        FAIL("want a refusal");
    } catch (const Refused& why) {
        CHECK(why.code() == code_definition);
        CHECK(std::string(why.what()).starts_with(file + ":2:2: "));
        CHECK(why.error()["data"]["faults"][0]["line"] == 2);
    }
    CHECK_THROWS_WITH(read_definition(folder.file("absent")),
                      Catch::Contains("/absent: No such file or directory"));
    CHECK_THROWS_WITH(read_definition(folder.path().string()), Catch::Contains("Is a directory"));
    CHECK_THROWS_WITH(read_definition("/dev/zero"), Catch::Contains("want at most 64 MiB"));
}

TEST_CASE("top looks once a second and for ever unless told otherwise", "[interposectl]") {
    const Watch usual = watch_for(parse_arguments({"top"}));
    CHECK(usual.interval_s == 1);
    CHECK_FALSE(usual.count);
    CHECK_FALSE(usual.devices);

    const Watch told =
        watch_for(parse_arguments({"top", "--interval", "0.5", "--count", "3", "--devices"}));
    CHECK(told.interval_s == 0.5);
    CHECK(told.count == 3U);
    CHECK(told.devices);

    CHECK_THROWS_AS(watch_for(parse_arguments({"top", "--interval", "0"})), UsageError);
    CHECK_THROWS_AS(watch_for(parse_arguments({"top", "--count", "0"})), UsageError);
}
