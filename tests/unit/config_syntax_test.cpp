#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

TEST_CASE("a text that ends too early is told where it ends", "[config]") {
    CHECK(report("") == "f:1:1: want a value, found the end of the text");
    CHECK(report("\n\n  // nothing\n") == "f:4:1: want a value, found the end of the text");
    CHECK(report("{\"listen\"") ==
          "f:1:10: listen: want \":\" behind the key, found the end of the text");
    CHECK(report("{\"exports\": [{\"table\": [\n 1") ==
          "f:2:3: exports[0].table: want \",\" or \"]\", found the end of the text");
}

TEST_CASE("a comma too many or too few is named with what should stand there", "[config]") {
    CHECK(report("{\"a\": 1,\n}") ==
          "f:2:1: want a key in double quotes behind the comma, found \"}\"");
    CHECK(report("{\"a\": [1,\n]}") == "f:2:1: a: want a value behind the comma, found \"]\"");
    CHECK(report("{\"a\": 1\n \"b\": 2}") == "f:2:2: want \",\" or \"}\", found a string");
    CHECK(report("{\"a\": [1 2]}") == "f:1:10: a: want \",\" or \"]\", found \"2\"");
    CHECK(report("{\"a\" 1}") == "f:1:6: a: want \":\" behind the key, found \"1\"");
    CHECK(report("[,]") == "f:1:2: want a value or \"]\", found \",\"");
}

TEST_CASE("keys and words without double quotes are refused where they begin", "[config]") {
    CHECK(report("{listen: 1}") == "f:1:2: want a key in double quotes or \"}\", found \"listen\"");
    CHECK(report("{'listen': 1}") == "f:1:2: want a key in double quotes or \"}\", found \"'\"");
    CHECK(report("{\"a\": True}") == "f:1:7: a: want a value, found \"True\"");
}

TEST_CASE("numbers that are not JSON's are refused where they go wrong", "[config]") {
    CHECK(report("{\"a\": 0x10}") ==
          "f:1:8: want \",\" or \"}\", found \"x10\" (a number is plain decimal digits)");
    CHECK(report("{\"a\": 010}") ==
          "f:1:8: want \",\" or \"}\", found \"10\" (a number is plain decimal digits)");
    CHECK(report("{\"a\": 1.}") == "f:1:7: a: want a value, found \"1.\"");
    CHECK(report("{\"a\": +1}") == "f:1:7: a: want a value, found \"+1\"");
    CHECK(report("{\"a\": 1e999}") == "f:1:7: a: want a smaller number, found \"1e999\"");
}

TEST_CASE("what is wrong inside a string is pointed at", "[config]") {
    CHECK(report("{\"a\": \"x\n\"}") == "f:1:7: a: this string has no closing quote on its line");
    CHECK(report("{\"a\": \"x\ty\"}") == "f:1:9: a: want \\u0009 in a string, found the bare byte");
    CHECK(report(R"({"a": "x\y"})") ==
          R"(f:1:9: a: want one of \" \\ \/ \b \f \n \r \t \u in a string, found another)");
    CHECK(report(R"({"a": "\u12g4"})") ==
          R"(f:1:8: a: want four hexadecimal digits behind \u in a string)");
    CHECK(report(R"({"a": "\ud83d"})") ==
          R"(f:1:8: a: want the two halves of a \u pair in a string, found one)");
    CHECK(report(R"({"a": "\ude00\ud83d"})") ==
          R"(f:1:8: a: want the two halves of a \u pair in a string, found one)");
}

TEST_CASE("a string that is right is not blamed for what follows it", "[config]") {
    CHECK(report(R"({"a": "\ud83d\ude00" 1})") == R"(f:1:22: want "," or "}", found "1")");
    CHECK(report(R"({"a": "b" "c"})") == R"(f:1:11: want "," or "}", found a string)");
}

TEST_CASE("comments are passed over, and one without an end is told so", "[config]") {
    CHECK(report("/* a */ {// b\n\"listne\" /* : */ : /**/ 1}").find("f:2:1: listne: ") !=
          std::string::npos);
    CHECK(report("{\"a\": \"// no comment\" x}") == "f:1:23: want \",\" or \"}\", found \"x\"");
    CHECK(report("{ /* for ever") == "f:1:3: this comment has no end");
    CHECK(report("{\"a\": / 1}") == "f:1:7: a: want a value, found \"/\"");
}

TEST_CASE("nothing may follow the configuration", "[config]") {
    CHECK(report("{} {}") == "f:1:4: want the end of the text, found \"{\"");
    CHECK(report("{}\n]") == "f:2:1: want the end of the text, found \"]\"");
}

TEST_CASE("only plain UTF-8 is read, comments included", "[config]") {
    CHECK(report("\xEF\xBB\xBF{}") == "f:1:1: want plain UTF-8, found a byte order mark before it");
    CHECK(report("{\n// \xC3\x28\n}") == "f:2:4: want text in UTF-8, found the byte 0xc3");
    CHECK(report("\"\xED\xA0\x80\"") == "f:1:2: want text in UTF-8, found the byte 0xed");
    CHECK(report("\"\xC0\x80\"") == "f:1:2: want text in UTF-8, found the byte 0xc0");
    CHECK(report("\"\xF4\x90\x80\x80\"") == "f:1:2: want text in UTF-8, found the byte 0xf4");
    CHECK(report("\"\xE2\x82") == "f:1:2: want text in UTF-8, found the byte 0xe2");
    CHECK(report(std::string_view("{\n\0}", 4)) ==
          "f:2:1: want text in UTF-8, found the byte 0x00");
}

TEST_CASE("deep nesting is refused before it can hurt", "[config]") {
    const std::string text(1000000, '[');
    CHECK(report(text).find("f:1:33: ") == 0);
    CHECK(report(text).find("want at most 32 levels of nesting") != std::string::npos);
}

TEST_CASE("the top level must be an object", "[config]") {
    const std::string wanted = "want an object with \"listen\" and \"exports\", got ";
    CHECK(report("[]") == "f:1:1: " + wanted + "an array");
    CHECK(report(" 12") == "f:1:2: " + wanted + "12");
    CHECK(report("null") == "f:1:1: " + wanted + "null");
    CHECK(report("\"\\n\"") == "f:1:1: " + wanted + "\"\\n\"");
}

TEST_CASE("a key given twice is a fault at the second place", "[config]") {
    CHECK(report(with_export("\"claim\": \"shared\",\n\"table\": [{\"kind\": \"linear\",\n"
                             "\"device\": \"x\", \"device\": \"y\"}],\n\"claim\": \"shared\"")) ==
          "f:4:16: exports[0].table[0].device: want each key once, found it first on line 4, "
          "column 1\n"
          "f:5:1: exports[0].claim: want each key once, found it first on line 2, column 1");
}

TEST_CASE("a key that is no plain word is quoted in the path", "[config]") {
    CHECK(report(with_segment("\"a.b\\n\": 1")) ==
          "f:2:1: exports[0].table[0][\"a.b\\n\"]: unknown key \"a.b\\n\" in a segment; known: "
          "kind, device, start, offset, length");
}
