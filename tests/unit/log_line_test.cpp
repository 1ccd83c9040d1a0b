#include "server/log_line.hpp"

#include <catch2/catch.hpp>

namespace interposed::server::log {

namespace {

using namespace std::string_literals;

constexpr std::chrono::system_clock::time_point when{
    std::chrono::microseconds(1'700'000'000'000'007)};

std::string message_of(std::string_view message) {
    const std::string line = json_line(when, Level::info, message, {});
    const std::string before =
        R"({"time":"2023-11-14T22:13:20.000007Z","level":"info","message":")";
    REQUIRE(line.starts_with(before));
    REQUIRE(line.ends_with("\"}\n"));
    return line.substr(before.size(), line.size() - before.size() - 3);
}

} // namespace

TEST_CASE("a line of text says who speaks and how bad it is", "[server]") {
    CHECK(text_line(Level::info, "hello") == "interposed: hello\n");
    CHECK(text_line(Level::error, "oh") == "interposed: error: oh\n");
    CHECK(text_line(Level::warning, "hm") == "interposed: warning: hm\n");
    CHECK(text_line(Level::debug, "so") == "interposed: debug: so\n");
}

TEST_CASE("no text can begin a line of its own or move the cursor", "[server]") {
    CHECK(text_line(Level::info, "a\nb\x1b[2J\x7f") == "interposed: a?b?[2J?\n");
}

TEST_CASE("a line of JSON has its time, level, message and what it is about", "[server]") {
    const Fields all{.session = 12, .client = "[::1]:4711", .export_name = "vol0", .device = "/x"};
    CHECK(json_line(when, Level::error, "oh", all) ==
          R"({"time":"2023-11-14T22:13:20.000007Z","level":"error","message":"oh",)"
          R"("session":12,"client":"[::1]:4711","export":"vol0","device":"/x"})"
          "\n");
    CHECK(json_line({}, Level::debug, "so", {}) ==
          R"({"time":"1970-01-01T00:00:00.000000Z","level":"debug","message":"so"})"
          "\n");
}

TEST_CASE("the default export, whose name is empty, is named as well", "[server]") {
    CHECK(json_line(when, Level::info, "", {.export_name = ""})
              .ends_with(R"(,"export":""})"
                         "\n"));
}

TEST_CASE("quotes, backslashes and control characters are escaped in JSON", "[server]") {
    CHECK(message_of(R"(a "b" c:\d)") == R"(a \"b\" c:\\d)");
    CHECK(message_of("a\nb\t\0\x1b\x7f"s) == R"(a\u000ab\u0009\u0000\u001b\u007f)");
    CHECK(message_of("\xC2\x9B"
                     "2J") == R"(\u009b2J)");
}

TEST_CASE("what is no UTF-8 is replaced, byte by byte", "[server]") {
    const std::string replaced = "\xEF\xBF\xBD";
    CHECK(message_of("größe \xF0\x9F\x98\x80 \xC2\xA0") == "größe \xF0\x9F\x98\x80 \xC2\xA0");
    CHECK(message_of("\xFF") == replaced);
    CHECK(message_of("a\xC3") == "a" + replaced);
    CHECK(message_of("\xED\xA0\x80|") == replaced + replaced + replaced + "|");
    CHECK(message_of("\xC0\xAF|") == replaced + replaced + "|");
    CHECK(message_of("\xC3\"") == replaced + "\\\"");
}

} // namespace interposed::server::log
