#include "config/config.hpp"
#include "config_report.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <unistd.h>

using namespace interposed::config;

namespace {

const std::string whole_file = R"({
    // comments of both kinds
    "listen": ["tcp://127.0.0.1:10809", "unix:///run/a.sock", {"unix": "s", "mode": "0660"}],
    "exports": [
        {"name": "диск \ud83d\ude00", "claim": "shared", "read_only": true, /* here too */
         "allow": ["10.0.0.0/8", "::1"],
         "table": [{"kind": "linear", "device": "/dev/sdb", "offset": "1MiB", "length": 4096},
                   {"kind": "linear", "device": "8:16", "start": "8s"}]},
        {"name": "", "dm_table": ["0 41943040 linear /dev/vda2 0"]}
    ]
})";

std::string table_of(std::size_t segments, const std::string& device_key) {
    std::string text = "{\"listen\": \"tcp://h\", \"exports\": [{\"name\": \"a\", \"table\": [";
    for (std::size_t i = 0; i < segments; ++i)
        text += (i > 0 ? ",\n" : "\n") + ("{\"kind\": \"linear\", \"" + device_key) +
                "\": \"/dev/sdb\", \"start\": " + std::to_string(i * 4096) +
                ", \"length\": \"4KiB\"}";
    return text + "]}]}";
}

} // namespace

TEST_CASE("every beginning of a right file is refused, and never more than that", "[config]") {
    REQUIRE(report(whole_file).empty());
    for (std::size_t length = 0; length < whole_file.size(); ++length)
        REQUIRE_FALSE(report(std::string_view(whole_file).substr(0, length)).empty());
}

TEST_CASE("a file with one byte changed is read or refused, never worse", "[config]") {
    std::mt19937 random(1); // the same bytes each time
    for (std::size_t at = 0; at < whole_file.size(); ++at) {
        std::string text = whole_file;
        for (const char c : {'"', '{', ']', ',', '0', '\\', '/', '-', '\n'}) {
            text[at] = c;
            report(text);
        }
        text[at] = static_cast<char>(random());
        report(text);
        text.erase(at, random() % 8);
        report(text);
    }
}

TEST_CASE("all faults of a file are told at once, in its order", "[config]") {
    try {
        parse("{\"listen\": 1,\n\"exports\": [{\"name\": 2,\n\"claim\": 3, \"dm_table\": [4]}],\n"
              "\"x\": 5}",
              "f", "/conf");
        FAIL("it was taken");
    } catch (const ConfigError& why) {
        REQUIRE(why.faults().size() == 5);
        CHECK(why.faults()[0].place.path == "listen");
        CHECK(why.faults()[1].place.path == "exports[0].name");
        CHECK(why.faults()[2].place.path == "exports[0].claim");
        CHECK(why.faults()[3].place.path == "exports[0].dm_table[0]");
        CHECK(why.faults()[4].place.path == "x");
        CHECK(why.faults()[4].place.line == 4);
    }
}

TEST_CASE("a hundred faults are reported and the rest is counted", "[config]") {
    const std::string text = report(table_of(150, "devcie"));
    CHECK(std::count(text.begin(), text.end(), '\n') == 100);
    CHECK(text.ends_with("\nf: and 200 more"));
}

TEST_CASE("a table of a hundred thousand segments is read whole", "[config]") {
    const auto configuration = parse(table_of(100000, "device"), "f", "/conf");
    const auto& table = configuration.exports.at(0).table;
    REQUIRE(table.size() == 100000);
    CHECK(table.back().start == 99999U * 4096);
    CHECK(table.back().place.line == 100001);
    CHECK(table.back().place.path == "exports[0].table[99999]");
}

TEST_CASE("a hundred thousand equal or unknown keys take no more than a moment", "[config]") {
    std::string equal = "{";
    std::string unknown = "{";
    for (int i = 0; i < 100000; ++i) {
        equal += "\"a\": 1,";
        unknown += "\"k" + std::to_string(i) + "\": 1,";
    }
    CHECK(report(equal + "\"a\": 1}").ends_with("and 199903 more"));
    CHECK(report(unknown + "\"a\": 1}").ends_with("and 99903 more"));
}

TEST_CASE("what is printed of a value is short and free of control bytes", "[config]") {
    const std::string text =
        report(with_export("\"claim\": \"\\u001b[2J" + std::string(10000, 'x') +
                           "\", \"dm_table\":"
                           " 1"));
    CHECK(text.size() < 600);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\\u001b[2Jxxx") != std::string::npos);
}

TEST_CASE("a file is loaded from where it lies, and its paths are seen from there", "[config]") {
    std::string folder = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::filesystem::path file = std::filesystem::path(folder) / "a.json";
    std::ofstream(file) << with_segment("\"offset\": 1");
    CHECK(load(file).exports.at(0).table.at(0).device == folder + "/disk.img");
    CHECK(load(file).file == file.string());
    std::filesystem::remove_all(folder);
}

TEST_CASE("a file that cannot be read is a fault without a line", "[config]") {
    const auto why = [](const std::string& file) -> std::string {
        try {
            load(file);
            return {};
        } catch (const ConfigError& fault) {
            return fault.what();
        }
    };
    CHECK(why("/nonexistent/a.json") ==
          "/nonexistent/a.json: cannot be read: No such file or directory");
    CHECK(why("/") == "/: cannot be read: Is a directory");
}
