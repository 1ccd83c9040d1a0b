#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

/// A configuration with these members at the top level, which begin on the second line.
std::string with_top(const std::string& members, const std::string& listen = "\"tcp://h\"") {
    return "{\"listen\": " + listen +
           ", \"exports\": [{\"name\": \"a\", \"table\": [{\"kind\": \"linear\", \"device\": "
           "\"/dev/sdb\"}]}],\n" +
           members + "}";
}

Configuration with(const std::string& members) {
    return parse(with_top(members), "f", "/conf");
}

} // namespace

TEST_CASE("what runs beside the exports is off, and the log is plain, unless asked for",
          "[config]") {
    const auto found =
        parse(with_export("\"table\": [{\"kind\": \"linear\", \"device\": \"x\"}]"), "f", "/conf");
    CHECK_FALSE(found.control);
    CHECK_FALSE(found.state_dir);
    CHECK_FALSE(found.metrics);
    CHECK(found.log.level == LogLevel::info);
    CHECK(found.log.format == LogFormat::text);
}

TEST_CASE("a control socket is a path, an address or an object, and its owner's alone",
          "[config]") {
    for (const std::string text : {"/conf/c", "unix:///conf/c", "c", "./c"}) {
        const auto found = with("\"control\": \"" + text + "\"");
        REQUIRE(found.control);
        CHECK(found.control->socket.path == "/conf/c");
        CHECK(found.control->socket.mode == 0600U);
        CHECK(found.control->place.line == 2);
        CHECK(found.control->place.path == "control");
    }
    const auto found = with(R"("control": {"unix": "c"})");
    REQUIRE(found.control);
    CHECK(found.control->socket.path == "/conf/c");
    CHECK(found.control->socket.mode == 0600U);
    CHECK(found.control->users.empty());
    CHECK(found.control->groups.empty());
}

TEST_CASE("a control socket says who may use it", "[config]") {
    const auto found = with(R"("control": {"unix": "/run/c", "mode": "0666", "owner": "root",
        "group": "6", "users": ["backup", "1000"], "groups": ["disk"]})");
    REQUIRE(found.control);
    CHECK(found.control->socket.mode == 0666U);
    CHECK(found.control->socket.owner == "root");
    CHECK(found.control->socket.group == "6");
    CHECK(found.control->users == std::vector<std::string>{"backup", "1000"});
    CHECK(found.control->groups == std::vector<std::string>{"disk"});
}

TEST_CASE("each fault of a control socket is reported at its place", "[config]") {
    const auto why = [](const std::string& control) {
        return report(with_top("\"control\": " + control));
    };
    CHECK(why("7") == "f:2:12: control: want a path, \"unix:///path\" or an object, got 7");
    for (const std::string text : {"tcp://h", "unix://c"})
        CHECK(why("\"" + text + "\"") ==
              "f:2:12: control: want a path or \"unix:///path\", got \"" + text + "\"");
    CHECK(why("\"\"") == "f:2:12: control: want the path of a socket, got \"\"");
    CHECK(why("\"" + std::string(102, 'x') + "\"")
              .find("f:2:12: control: want a socket path of at most 107 bytes, got 108") == 0);
    CHECK(why("{\"mode\": \"0600\"}") == "f:2:12: control: \"unix\" is missing in \"control\"");
    CHECK(why("{\"unix\": \"c\",\n\"user\": [],\n\"users\": \"a\",\n\"groups\": [1.5, \"\"]}") ==
          "f:3:1: control.user: unknown key \"user\" in \"control\"; did you mean \"users\"?\n"
          "f:4:10: control.users: want an array of names, got \"a\"\n"
          "f:5:12: control.groups[0]: want a name in quotes, or a number, got 1.5\n"
          "f:5:17: control.groups[1]: want a name or a number, got \"\"");
}

TEST_CASE("a control socket lies where no listener does, however it is spelt", "[config]") {
    CHECK(report(with_top("\"control\": \"/run/./c\"", R"(["tcp://h", "unix:///run/c"])")) ==
          "f:2:12: control: want another socket than that of listen[1], got \"unix:///run/c\"");
    CHECK(report(with_top("\"control\": \"/run/d\"", R"(["tcp://h", "unix:///run/c"])")).empty());
}

TEST_CASE("the folder of the state is seen from the file's own", "[config]") {
    CHECK(with(R"("state_dir": "state")").state_dir == "/conf/state");
    CHECK(with(R"("state_dir": "/var/lib/interposed")").state_dir == "/var/lib/interposed");
    CHECK(report(with_top("\"state_dir\": \"\"")) ==
          "f:2:14: state_dir: want the path of a folder, got \"\"");
    CHECK(report(with_top("\"state_dir\": \"a\\u0000b\"")) ==
          "f:2:14: state_dir: want the path of a folder, got \"a\\u0000b\"");
    CHECK(report(with_top("\"state_dir\": true")) ==
          "f:2:14: state_dir: want the path of a folder, got true");
}

TEST_CASE("metrics have a port of their own", "[config]") {
    const auto listen = [](const std::string& metrics) {
        return with("\"metrics\": " + metrics).metrics.value().listen;
    };
    CHECK(listen("\"tcp://127.0.0.1\"") == TcpAddress{"127.0.0.1", 9809});
    CHECK(listen("\"tcp://[0::1]:80\"") == TcpAddress{"::1", 80});
    CHECK(listen("{\"listen\": \"tcp://Host:0\"}") == TcpAddress{"host", 0});
}

TEST_CASE("each fault of the metrics is reported at its place", "[config]") {
    const std::string wanted = "want \"tcp://host:port\" or \"tcp://[v6]:port\", got ";
    CHECK(report(with_top("\"metrics\": 9809")) ==
          "f:2:12: metrics: want a string such as \"tcp://host:port\" or an object, got 9809");
    CHECK(report(with_top("\"metrics\": \"unix:///run/m\"")) ==
          "f:2:12: metrics: " + wanted + "\"unix:///run/m\"");
    CHECK(report(with_top("\"metrics\": {\"listen\": [],\n\"port\": 1}")) ==
          "f:2:23: metrics.listen: " + wanted +
              "an array\n"
              "f:3:1: metrics.port: unknown key \"port\" in \"metrics\"; known: listen");
    CHECK(report(with_top("\"metrics\": {}")) ==
          "f:2:12: metrics: \"listen\" is missing in \"metrics\"");
    CHECK(report(with_top("\"metrics\": \"tcp://h:65536\"")) ==
          "f:2:12: metrics: want a port from 0 to 65535 behind the colon, got \"h:65536\"");
}

TEST_CASE("metrics are served where no listener is", "[config]") {
    CHECK(report(with_top("\"metrics\": \"tcp://h:10809\"")) ==
          "f:2:12: metrics: want another address than that of listen, got \"tcp://h:10809\"");
    CHECK(report(with_top("\"metrics\": \"tcp://h:0\"", "\"tcp://h:0\"")).empty());
}

TEST_CASE("the server stays who it is unless it is told whom to become", "[config]") {
    CHECK_FALSE(with(R"("log": {})").run_as);
    const auto plain = with(R"("run_as": "interposed")").run_as.value();
    CHECK(plain.user == "interposed");
    CHECK_FALSE(plain.group);
    CHECK_FALSE(plain.groups);
    CHECK_FALSE(plain.attach);
    CHECK(plain.place.path == "run_as");
    const auto found = with(R"("run_as": {"user": "100", "group": "nbd", "groups": ["disk", "6"],
        "attach": true})")
                           .run_as.value();
    CHECK(found.user == "100");
    CHECK(found.group == "nbd");
    CHECK(found.groups == std::vector<std::string>{"disk", "6"});
    CHECK(found.attach);
    CHECK(with(R"("run_as": {"user": "a", "groups": []})").run_as->groups ==
          std::vector<std::string>{});
    CHECK_FALSE(plain == found);
}

TEST_CASE("each fault of whom to become is reported at its place", "[config]") {
    CHECK(report(with_top("\"run_as\": 0")) ==
          "f:2:11: run_as: want a user, or an object with \"user\", got 0");
    CHECK(report(with_top("\"run_as\": \"\"")) ==
          "f:2:11: run_as: want a name or a number, got \"\"");
    CHECK(report(with_top("\"run_as\": {\"group\": \"g\"}")) ==
          "f:2:11: run_as: \"user\" is missing in \"run_as\"");
    CHECK(report(with_top("\"run_as\": {\"user\": 1,\n\"groups\": \"disk\",\n\"attach\": 1,\n"
                          "\"uid\": 1}")) ==
          "f:3:11: run_as.groups: want an array of names, got \"disk\"\n"
          "f:4:11: run_as.attach: want true or false, got 1\n"
          "f:5:1: run_as.uid: unknown key \"uid\" in \"run_as\"; known: user, group, groups, "
          "attach");
}

TEST_CASE("a log has a level and a format", "[config]") {
    constexpr std::pair<const char*, LogLevel> levels[] = {{"error", LogLevel::error},
                                                           {"warning", LogLevel::warning},
                                                           {"info", LogLevel::info},
                                                           {"debug", LogLevel::debug}};
    for (const auto& [word, level] : levels)
        CHECK(with("\"log\": {\"level\": \"" + std::string(word) + "\"}").log ==
              Log{level, LogFormat::text});
    CHECK(with(R"("log": {"format": "json"})").log == Log{LogLevel::info, LogFormat::json});
    CHECK(with(R"("log": {"format": "text"})").log == Log{});
    CHECK(report(with_top("\"log\": {\"level\": \"wraning\",\n\"format\": 1,\n\"levle\": 2}")) ==
          "f:2:18: log.level: want \"error\" or \"warning\" or \"info\" or \"debug\", got "
          "\"wraning\"; "
          "did you mean \"warning\"?\n"
          "f:3:11: log.format: want \"text\" or \"json\", got 1\n"
          "f:4:1: log.levle: unknown key \"levle\" in \"log\"; did you mean \"level\"?");
    CHECK(report(with_top("\"log\": \"debug\"")) ==
          "f:2:8: log: want an object with \"level\" and \"format\", got \"debug\"");
}

TEST_CASE("a key of control, metrics or log is told where it belongs", "[config]") {
    CHECK(report(with_top("\"level\": \"debug\",\n\"users\": []")) ==
          "f:2:1: level: unknown key \"level\" at the top level; it belongs in \"log\"\n"
          "f:3:1: users: unknown key \"users\" at the top level; it belongs in \"control\"");
}
