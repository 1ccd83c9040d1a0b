#include "interposectl/arguments.hpp"
#include "interposectl/errors.hpp"
#include "interposectl/help.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace interposed::ctl;
using Action = Arguments::Action;

namespace {

/// What is said about words that are wrong.
std::string refusal(const std::vector<std::string>& words) {
    try {
        (void)parse_arguments(words);
    } catch (const UsageError& why) {
        return why.what();
    }
    return "";
}

} // namespace

TEST_CASE("options stand before the verb, behind it, and behind its operands", "[interposectl]") {
    const Arguments first =
        parse_arguments({"--socket", "/a.sock", "--json", "resume", "--noflush", "vol0"});
    const Arguments last =
        parse_arguments({"resume", "vol0", "--noflush", "--json", "--socket=/a.sock"});

    for (const Arguments& each : {first, last}) {
        REQUIRE(each.verb != nullptr);
        CHECK(each.verb->name == "resume");
        CHECK(each.socket == "/a.sock");
        CHECK(each.json);
        CHECK(each.has("noflush"));
        CHECK(each.operands == std::vector<std::string>{"vol0"});
    }
}

TEST_CASE("an option keeps its value, and what follows two dashes is an operand",
          "[interposectl]") {
    const Arguments arguments = parse_arguments({"suspend", "--timeout", "5", "--", "--json"});

    CHECK(arguments.value("timeout") == "5");
    CHECK_FALSE(arguments.value("noflush"));
    CHECK_FALSE(arguments.json);
    CHECK(arguments.operand(0) == "--json");
    CHECK_FALSE(arguments.operand(1));
}

TEST_CASE("the empty name of the default export is an operand", "[interposectl]") {
    CHECK(parse_arguments({"status", ""}).operand(0) == "");
    CHECK_FALSE(parse_arguments({"status"}).operand(0));
}

TEST_CASE("help and version are asked for in every usual way", "[interposectl]") {
    CHECK(parse_arguments({"--version"}).action == Action::version);
    for (const auto& words : {std::vector<std::string>{"--help"}, {"help"}, {"--help", "load"}}) {
        const Arguments arguments = parse_arguments(words);
        CHECK(arguments.action == Action::help);
        CHECK(arguments.verb == nullptr);
    }
    // Also where operands are missing.
    for (const auto& words : {std::vector<std::string>{"help", "load"}, {"load", "--help"}}) {
        const Arguments arguments = parse_arguments(words);
        CHECK(arguments.action == Action::help);
        REQUIRE(arguments.verb != nullptr);
        CHECK(arguments.verb->name == "load");
    }
}

TEST_CASE("a wrong command line is refused with what was wanted", "[interposectl]") {
    CHECK(refusal({}) == "want a verb, such as ls or status; see interposectl --help");
    CHECK(refusal({"stauts"}) == "unknown verb \"stauts\"; did you mean \"status\"?");
    CHECK(refusal({"help", "lod"}) == "unknown verb \"lod\"; did you mean \"load\"?");
    CHECK(refusal({"zzzzzz"}) == "unknown verb \"zzzzzz\"");
    CHECK(refusal({"load", "vol0"}) == "load: want EXPORT FILE, found \"vol0\" alone");
    CHECK(refusal({"clear"}) == "clear: want EXPORT, found nothing");
    CHECK(refusal({"ls", "vol0"}) == "ls: one too many: \"vol0\"");
    CHECK(refusal({"ls", "\xff"}) == "want arguments in UTF-8, found \"\xff\"");
}

TEST_CASE("a wrong option is refused by its name", "[interposectl]") {
    CHECK(refusal({"suspend", "--timeuot", "1", "x"}) ==
          "unknown option \"--timeuot\"; did you mean \"timeout\"?");
    CHECK(refusal({"suspend", "x", "--timeout"}) == "--timeout: want a value, found none");
    CHECK(refusal({"suspend", "--noflush=no", "x"}) == "--noflush: want no value, found \"no\"");
    CHECK(refusal({"remove", "--d", "x"}) == "option \"--d\" can mean several");
    CHECK(refusal({"-v", "ls"}) == "unknown option \"-v\"");
    CHECK(refusal({"--timeout", "1", "suspend", "x"}).starts_with("unknown option"));
}

TEST_CASE("whether errors are to be JSON is known even of a wrong command line", "[interposectl]") {
    CHECK(wants_json({"lss", "--json"}));
    CHECK_FALSE(wants_json({"lss", "--", "--json"}));
}

TEST_CASE("the socket is the option's, else the environment's, else the usual one",
          "[interposectl]") {
    ::unsetenv("INTERPOSED_CONTROL");
    CHECK(socket_path(parse_arguments({"ls"})) == "/run/interposed/control.sock");
    ::setenv("INTERPOSED_CONTROL", "/env.sock", 1);
    CHECK(socket_path(parse_arguments({"ls"})) == "/env.sock");
    CHECK(socket_path(parse_arguments({"ls", "--socket", "/my.sock"})) == "/my.sock");
    ::setenv("INTERPOSED_CONTROL", "", 1);
    CHECK(socket_path(parse_arguments({"ls"})) == "/run/interposed/control.sock");
    ::unsetenv("INTERPOSED_CONTROL");
}

TEST_CASE("seconds are decimal numbers that are not negative", "[interposectl]") {
    CHECK(parse_seconds("--timeout", "30") == 30);
    CHECK(parse_seconds("--timeout", "0.25") == 0.25);
    for (const char* wrong : {"", "x", "-1", "1e3", "inf", "nan", "5s", " 5", "99999999999"})
        CHECK_THROWS_AS(parse_seconds("--timeout", wrong), UsageError);
}

TEST_CASE("sizes are bytes or have a unit, counts are whole", "[interposectl]") {
    CHECK(parse_size("SIZE", "4096") == 4096);
    CHECK(parse_size("SIZE", "0") == 0);
    CHECK(parse_size("SIZE", "10GiB") == std::uint64_t{10} << 30U);
    CHECK(parse_size("SIZE", "8s") == 4096);
    for (const char* wrong : {"", "-1", "10GB", "1.5GiB", "9223372036854775808", "0x10"})
        CHECK_THROWS_AS(parse_size("SIZE", wrong), UsageError);
    CHECK(parse_count("--count", "3") == 3);
    for (const char* wrong : {"", "-1", "3x", "1.5", "99999999999999999999"})
        CHECK_THROWS_AS(parse_count("--count", wrong), UsageError);
}

TEST_CASE("the help tells of every verb, and of each with its options", "[interposectl]") {
    const std::string overall = overall_help();
    for (const VerbSyntax& verb : verbs) {
        CHECK(overall.find("\n  " + std::string(verb.name) + " ") != std::string::npos);
        const std::string help = verb_help(verb);
        for (const OptionSyntax& option : verb.options)
            CHECK(help.find("\n  --" + std::string(option.name)) != std::string::npos);
    }
}
