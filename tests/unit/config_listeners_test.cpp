#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::vector<Listener> listeners(const std::string& listen) {
    return parse(with_listen(listen), "f", "/conf").listen;
}

} // namespace

TEST_CASE("a single listener needs no array", "[config]") {
    const auto found = listeners("\"tcp://127.0.0.1:10810\"");
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].tcp);
    CHECK(found[0].tcp->host == "127.0.0.1");
    CHECK(found[0].tcp->port == 10810);
    CHECK(found[0].place.line == 2);
    CHECK(found[0].place.path == "listen");
}

TEST_CASE("listeners can be strings and objects", "[config]") {
    const auto found = listeners(R"(["tcp://[::1]", {"tcp": "Example.org:0"}, "unix:///run/a",
        {"unix": "b.sock", "mode": "0660", "owner": "root", "group": "6"}])");
    REQUIRE(found.size() == 4);
    CHECK(found[0].tcp->host == "::1");
    CHECK(found[0].tcp->port == 10809);
    CHECK(found[1].tcp->host == "example.org");
    CHECK(found[1].tcp->port == 0);
    CHECK(found[2].unix_socket->path == "/run/a");
    CHECK_FALSE(found[2].unix_socket->mode);
    CHECK(found[3].unix_socket->path == "/conf/b.sock");
    CHECK(found[3].unix_socket->mode == 0660U);
    CHECK(found[3].unix_socket->owner == "root");
    CHECK(found[3].unix_socket->group == "6");
    CHECK(found[3].place.path == "listen[3]");
}

TEST_CASE("a listener's short form can be written and read again", "[config]") {
    for (const std::string uri :
         {"tcp://localhost:1", "tcp://[::1]:65535", "tcp://0.0.0.0:0", "tcp://[fe80::1%eth0]:10809",
          "unix:///run/nbd.sock", "systemd", "systemd:interposed.socket"})
        CHECK(to_string(parse_listener(uri)) == uri);
    CHECK(to_string(parse_listener("tcp://[0:0::0:1]")) == "tcp://[::1]:10809");
}

TEST_CASE("a wrong short form is told what is wanted", "[config]") {
    const auto why = [](const std::string& uri) -> std::string {
        try {
            return to_string(parse_listener(uri));
        } catch (const std::invalid_argument& fault) {
            return fault.what();
        }
    };
    const std::string forms =
        "want \"tcp://host:port\", \"tcp://[v6]:port\", \"unix:///path\" or \"systemd\"";
    const std::string host = "want a host name, an IPv4 address or an IPv6 address in brackets";
    CHECK(why("http://x") == forms + ", got \"http://x\"");
    CHECK(why("unix://x") == forms + ", got \"unix://x\"");
    CHECK(why("") == forms + ", got \"\"");
    CHECK(why("tcp://:1") ==
          "want a host before the port (0.0.0.0 or [::] for all addresses), got \":1\"");
    CHECK(why("tcp://1.2.3:1") == host + ", got \"1.2.3:1\"");
    CHECK(why("tcp://a b:1") == host + ", got \"a b:1\"");
    CHECK(why("tcp://::1:10809") == "want an IPv6 address in brackets, got \"::1:10809\"");
    CHECK(why("tcp://[::1") == "want a closing bracket behind the IPv6 address, got \"[::1\"");
    CHECK(why("tcp://[1.2.3.4]:1") == "want an IPv6 address in the brackets, got \"[1.2.3.4]:1\"");
    for (const std::string zone : {"::1%", "::1%a b", "::1%%"})
        CHECK(why("tcp://[" + zone + "]") ==
              "want an IPv6 address in the brackets, got \"[" + zone + "]\"");
    CHECK(why("tcp://[::1]1") == "want a colon and a port behind the bracket, got \"[::1]1\"");
    for (const std::string port : {"", "x", "-1", "65536", "1x"})
        CHECK(why("tcp://h:" + port) ==
              "want a port from 0 to 65535 behind the colon, got \"h:" + port + "\"");
    CHECK(why("unix:///run/") == "want the path of a socket, got \"/run/\"");
}

TEST_CASE("a socket's path must fit into the address of a socket", "[config]") {
    CHECK(listeners("\"unix:///" + std::string(106, 'x') + "\"").size() == 1);
    CHECK(report(with_listen("{\"unix\": \"" + std::string(102, 'x') + "\"}")) ==
          "f:2:10: listen.unix: want a socket path of at most 107 bytes, got 108: \"/conf/" +
              std::string(102, 'x') + "\"");
}

TEST_CASE("each fault of a listener is reported at its place", "[config]") {
    CHECK(report(with_listen("7")) ==
          "f:2:1: listen: want a string such as \"tcp://host:port\" or an object, got 7");
    CHECK(report(with_listen("[]")) ==
          "f:2:1: listen: want at least one listener, got an empty array");
    CHECK(report(with_listen("[{},\n{\"tcp\": \"h\", \"unix\": \"s\"}]")) ==
          "f:2:2: listen[0]: want exactly one of \"unix\", \"tcp\" and \"systemd\" in a listener, "
          "got none\n"
          "f:3:1: listen[1]: want exactly one of \"unix\", \"tcp\" and \"systemd\" in a listener, "
          "got several");
    CHECK(report(with_listen("{\"unix\": 1,\n\"mode\": 660,\n\"ower\": \"root\",\n"
                             "\"group\": \"\"}")) ==
          "f:2:10: listen.unix: want a path, got 1\n"
          "f:3:9: listen.mode: want permissions as an octal string such as \"0660\", got 660\n"
          "f:4:1: listen.ower: unknown key \"ower\" in a listener; did you mean \"owner\"?\n"
          "f:5:10: listen.group: want a name or a number, got \"\"");
    CHECK(report(with_listen("{\"unix\": \"s\", \"mode\": \"1660\"}")) ==
          "f:2:23: listen.mode: want permissions as an octal string such as \"0660\", got "
          "\"1660\"");
    CHECK(report(with_listen("{\"tcp\": \"h\",\n\"mode\": \"0660\"}")) ==
          "f:3:9: listen.mode: \"mode\" belongs to a unix socket, not to a TCP listener");
    CHECK(report(with_listen("{\"unix\": \"s\", \"owner\": \"4294967295\"}")) ==
          "f:2:24: listen.owner: want a name or a number below 4294967295, got \"4294967295\"");
}

TEST_CASE("a listener can be what a service manager passes, all of it or by name", "[config]") {
    const auto found = listeners(R"(["systemd", "systemd:web", {"systemd": "nbd.socket"}])");
    REQUIRE(found.size() == 3);
    CHECK(found[0].systemd == "");
    CHECK(found[1].systemd == "web");
    CHECK(found[2].systemd == "nbd.socket");
    CHECK_FALSE(found[2].tcp);
    CHECK_FALSE(found[2].unix_socket);
    CHECK_FALSE(found[1] == found[2]);
}

TEST_CASE("the name of a passed socket is one that a service manager can give", "[config]") {
    const std::string wanted =
        "want the name of a socket: 1 to 255 ASCII characters, and no colon, got ";
    CHECK(report(with_listen("{\"systemd\": \"\"}")) ==
          "f:2:13: listen.systemd: " + wanted + "\"\"");
    CHECK(report(with_listen("\"systemd:\"")) == "f:2:1: listen: " + wanted + "\"\"");
    CHECK(report(with_listen("\"systemd:a:b\"")) == "f:2:1: listen: " + wanted + "\"a:b\"");
    CHECK(report(with_listen("{\"systemd\": \"\u00fc\"}")).find(wanted) != std::string::npos);
    CHECK(report(with_listen("{\"systemd\": \"" + std::string(256, 'x') + "\"}")).find(wanted) !=
          std::string::npos);
    CHECK(report(with_listen("{\"systemd\": \"a\",\n\"group\": \"disk\"}")) ==
          "f:3:10: listen.group: \"group\" belongs to a unix socket, not to one that the service "
          "manager opens");
    CHECK(report(with_listen("[\"systemd:a\",\n{\"systemd\": \"a\"}]")) ==
          "f:3:1: listen[1]: want each listener once, got \"systemd:a\" as in listen[0]");
}

TEST_CASE("a listener given twice is a fault, however it is spelt", "[config]") {
    CHECK(report(with_listen("[\"tcp://[::1]\",\n\"tcp://[0::1]:10809\",\n{\"unix\": \"s\"},\n"
                             "\"unix:///conf/s\"]")) ==
          "f:3:1: listen[1]: want each listener once, got \"tcp://[::1]:10809\" as in listen[0]\n"
          "f:5:1: listen[3]: want each listener once, got \"unix:///conf/s\" as in listen[2]");
    CHECK(report(with_listen("[\"tcp://h:0\", \"tcp://h:0\"]")).empty());
}
