#include "interposectl/columns.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/json.hpp"
#include "interposectl/text.hpp"

#include <catch2/catch.hpp>

using namespace interposed::ctl;

TEST_CASE("nothing that a terminal obeys is left in a text", "[interposectl]") {
    CHECK(harmless("plain, \u00e4\u4e2d\U0001F600") == "plain, \u00e4\u4e2d\U0001F600");
    CHECK(harmless("\x1b[2J\r\x7f") == "\\u001b[2J\\u000d\\u007f");
    CHECK(harmless("\u009b2J \u202e \u2066") == "\\u009b2J \\u202e \\u2066");
    CHECK(harmless("a\nb") == "a\\u000ab");
    CHECK(harmless("a\nb", true) == "a\nb");
    // No byte that begins a character may hide what follows it.
    CHECK(harmless("\xf0\x1b[2J") == "\\xf0\\u001b[2J");
    CHECK(harmless("\x9b") == "\\x9b");
}

TEST_CASE("a name is told from what is around it", "[interposectl]") {
    CHECK(export_name("") == "\"\"");
    CHECK(export_name("vol\"0\\\n") == "vol\\\"0\\\\\\n");
}

TEST_CASE("JSON is printed without control characters and means the same", "[interposectl]") {
    const Json value = {{"name", "a\x1b\x7f\u009b\u202e\n"}};

    const std::string text = json_text(value, false);

    CHECK(text == R"({"name":"a\u001b\u007f\u009b\u202e\n"})");
    CHECK(Json::parse(text) == value);
    CHECK(json_text(value, true).starts_with("{\n  \"name\""));
    CHECK(json_text(Json("\xff"), false) == "\"\ufffd\"");
}

TEST_CASE("an error has the program's name before each of its lines", "[interposectl]") {
    CHECK(error_lines(LocalFailure("a: wrong\nb: \x1bwrong\n")) ==
          "interposectl: a: wrong\ninterposectl: b: \\u001bwrong\n");
    CHECK(error_lines(LocalFailure("")) == "interposectl: no reason was given\n");
}

TEST_CASE("sizes, counts and durations are short", "[interposectl]") {
    CHECK(human_size(0) == "0 B");
    CHECK(human_size(1023) == "1023 B");
    CHECK(human_size(1536) == "1.50 KiB");
    CHECK(human_size(~std::uint64_t{0}) == "16.00 EiB");
    CHECK(size_text(512) == "512");
    CHECK(size_text(4096) == "4096 (4 KiB)");
    CHECK(counted(1, "segment") == "1 segment");
    CHECK(counted(0, "segment") == "0 segments");
    CHECK(duration_text(0) == "0.0 us");
    CHECK(duration_text(0.00025) == "250 us");
    CHECK(duration_text(0.0123) == "12.3 ms");
    CHECK(duration_text(12.5) == "12.5 s");
    CHECK(duration_text(3 * 3600 + 12 * 60) == "3 h 12 min");
    CHECK(duration_text(100 * 3600) == "4 d 4 h");
    CHECK(duration_text(-1) == "?");
    CHECK(time_text(1e300) == "?");
}

TEST_CASE("a text is cut between characters", "[interposectl]") {
    CHECK(clipped("\u00e4\u00e4\u00e4", 2) == "\u00e4\u00e4");
    CHECK(clipped("abc", 3) == "abc");
    CHECK(clipped("abc", 0).empty());
}

TEST_CASE("columns are as wide as their widest cell, in characters", "[interposectl]") {
    Columns columns({{"NAME"}, {"SIZE", Align::right}, {"STATE"}}, "  ");
    columns.add({"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4", "5", "live"});
    columns.add_line("... more ...");
    columns.add({"b", "12345", ""});

    CHECK(columns.text() == "  NAME     SIZE  STATE\n"
                            "  \u00e4\u00e4\u00e4\u00e4\u00e4\u00e4      5  live\n"
                            "  ... more ...\n"
                            "  b       12345\n");
}
