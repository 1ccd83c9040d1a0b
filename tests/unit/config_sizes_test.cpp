#include "config/sizes.hpp"
#include "config_report.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

std::uint64_t offset_of(const std::string& size) {
    const auto configuration = parse(with_segment("\"offset\": " + size), "f", "/conf");
    return configuration.exports.at(0).table.at(0).offset;
}

std::string fault_of(const std::string& size) {
    const std::string text = report(with_segment("\"offset\": " + size));
    const std::string place = "f:2:11: exports[0].table[0].offset: ";
    CHECK(text.find(place) == 0);
    return text.substr(std::min(place.size(), text.size()));
}

} // namespace

TEST_CASE("a size is a number of bytes or a string with a unit", "[config]") {
    CHECK(offset_of("0") == 0);
    CHECK(offset_of("4096") == 4096);
    CHECK(offset_of("\"8s\"") == 4096);
    CHECK(offset_of("\"3KiB\"") == 3072);
    CHECK(offset_of("\"1MiB\"") == 1048576);
    CHECK(offset_of("\"10GiB\"") == 10737418240);
    CHECK(offset_of("\"2TiB\"") == 2199023255552);
    CHECK(offset_of("\"0s\"") == 0);
}

TEST_CASE("sizes go up to what an off_t can count", "[config]") {
    const std::string most = "want at most 9223372036854775807 bytes (2^63 - 1), got ";
    CHECK(offset_of("9223372036854775807") == largest_size);
    CHECK(offset_of("\"18014398509481983s\"") == largest_size - 511);
    CHECK(fault_of("9223372036854775808") == most + "9223372036854775808");
    CHECK(fault_of("18446744073709551617") == most + "18446744073709551617");
    CHECK(fault_of("\"18014398509481984s\"") == most + "\"18014398509481984s\"");
    CHECK(fault_of("\"8388608TiB\"") == most + "\"8388608TiB\"");
    CHECK(fault_of("\"99999999999999999999KiB\"") == most + "\"99999999999999999999KiB\"");
    CHECK(fault_of(std::string(400, '9')).find("want a smaller number, found") == 0);
    CHECK(fault_of(std::string(300, '9')) == most + std::string(37, '9') + "...");
}

TEST_CASE("a size is neither negative nor broken", "[config]") {
    CHECK(fault_of("-1") == "want a number of bytes that is not negative, got -1");
    CHECK(fault_of("-0") == "want a number of bytes that is not negative, got -0");
    CHECK(fault_of("0.5") == "want a whole number of bytes in decimal digits, got 0.5");
    CHECK(fault_of("1e3") == "want a whole number of bytes in decimal digits, got 1e3");
    CHECK(fault_of("\"1.5GiB\"") == "want a whole number before the unit, got \"1.5GiB\"");
    const std::string wanted = "want a size such as 4096, \"10GiB\" or \"2048s\", got ";
    CHECK(fault_of("\"-1s\"") == wanted + "\"-1s\"");
    CHECK(fault_of("\"\"") == wanted + "\"\"");
    CHECK(fault_of("\"010s\"") == wanted + "\"010s\"");
    CHECK(fault_of("true") == wanted + "true");
    CHECK(fault_of("[1]") == wanted + "an array");
}

TEST_CASE("a wrong unit is told the right ones", "[config]") {
    const std::string wanted = "want a size such as 4096, \"10GiB\" or \"2048s\", got ";
    CHECK(fault_of("\"4GB\"") == wanted + "\"4GB\": unknown unit \"GB\"; did you mean \"GiB\"?");
    CHECK(fault_of("\"4gib\"") == wanted + "\"4gib\": unknown unit \"gib\"; did you mean \"GiB\"?");
    CHECK(fault_of("\"4 MiB\"") ==
          wanted + "\"4 MiB\": unknown unit \" MiB\"; did you mean \"MiB\"?");
    CHECK(fault_of("\"4blocks\"") ==
          wanted + "\"4blocks\": unknown unit \"blocks\"; known: KiB, MiB, GiB, TiB, s");
    CHECK(fault_of("\"4096\"") == "want a unit in the string (KiB, MiB, GiB, TiB or s) or bytes "
                                  "as a plain number, got \"4096\"");
}
