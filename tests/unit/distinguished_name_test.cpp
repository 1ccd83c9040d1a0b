#include "config/distinguished_name.hpp"

#include <catch2/catch.hpp>

using namespace interposed::config;

namespace {

DistinguishedName parsed(std::string_view text) {
    return parse_distinguished_name(text);
}

std::string canonical(std::string_view text) {
    return to_string(parsed(text));
}

std::string why_not(std::string_view text) {
    try {
        parsed(text);
        return {};
    } catch (const std::invalid_argument& why) {
        const std::string message = why.what();
        return message.substr(message.rfind("\": ") + 3);
    }
}

} // namespace

TEST_CASE("a distinguished name is its relative names, the most specific first", "[config]") {
    const DistinguishedName name = parsed("CN=backup,OU=a+UID=7,O=Example");
    REQUIRE(name.relatives.size() == 3);
    CHECK(name.relatives[0] == DistinguishedName::Relative{{"2.5.4.3", "backup"}});
    CHECK(name.relatives[1] ==
          DistinguishedName::Relative{{"0.9.2342.19200300.100.1.1", "7"}, {"2.5.4.11", "a"}});
    CHECK(name.relatives[2] == DistinguishedName::Relative{{"2.5.4.10", "Example"}});
}

TEST_CASE("a distinguished name is equal however its types are written", "[config]") {
    const DistinguishedName name = parsed("CN=a,O=b,emailAddress=c@d");
    CHECK(parsed("cn=a,o=b,EMAILADDRESS=c@d") == name);
    CHECK(parsed("2.5.4.3=a,2.5.4.10=b,1.2.840.113549.1.9.1=c@d") == name);
    CHECK(parsed("commonName=a,organizationName=b,E=c@d") == name);
}

TEST_CASE("a distinguished name is equal however its values are escaped", "[config]") {
    const DistinguishedName name = parsed("CN=a\\,b,O=\\C3\\A4");
    CHECK(parsed("CN=a\\2cb,O=\xC3\xA4") == name);
    CHECK(parsed("CN=\\61\\2C\\62,O=\xC3\\a4") == name);
    CHECK(parsed("CN=\\ a\\ ") == parsed("CN=\\20a\\20"));
    CHECK(parsed("CN=\\#a") == parsed("CN=\\23a"));
    CHECK(parsed("CN=a=b") == parsed("CN=a\\=b"));
}

TEST_CASE("blanks beside commas, plus and equals signs do not count", "[config]") {
    CHECK(parsed(" CN = a , O =  b + OU=c ") == parsed("CN=a,O=b+OU=c"));
    CHECK(parsed("CN=a b") != parsed("CN=ab"));
    CHECK(parsed("CN=a  b") != parsed("CN=a b"));
    CHECK(parsed("CN=a\\ ") != parsed("CN=a"));
    CHECK(parsed("CN=\\ a") != parsed("CN=a"));
}

TEST_CASE("the attributes of one relative name have no order, relative names do", "[config]") {
    CHECK(parsed("CN=a+UID=b,O=c") == parsed("UID=b+CN=a,O=c"));
    CHECK(parsed("CN=a,O=c") != parsed("O=c,CN=a"));
    CHECK(parsed("CN=a+O=b") != parsed("CN=a,O=b"));
}

TEST_CASE("values are compared as they are", "[config]") {
    CHECK(parsed("CN=Backup") != parsed("CN=backup"));
    CHECK(parsed("CN=a") != parsed("CN=a,O=b"));
    CHECK(parsed("O=a") != parsed("OU=a"));
    CHECK(parsed("CN=") != parsed("CN=a"));
    CHECK(parsed("CN=#0401") != parsed("CN=\\#0401"));
    CHECK(parsed("1.2.3=#04AB") == parsed("1.2.3 = #04ab "));
}

TEST_CASE("a distinguished name is written in one way", "[config]") {
    CHECK(canonical("commonname = a ,2.5.4.10=b") == "CN=a,O=b");
    CHECK(canonical("CN=\\22\\2B\\2c\\3b\\3c\\3e\\5c") == "CN=\\\"\\+\\,\\;\\<\\>\\\\");
    CHECK(canonical("CN=\\ a \\ ,O=\\#b#") == "CN=\\ a \\ ,O=\\#b#");
    CHECK(canonical("CN=\\0a\\7f") == "CN=\\0a\\7f");
    CHECK(canonical("CN=,O=\\20") == "CN=,O=\\ ");
    CHECK(canonical("X-own=1,1.2.3=#0401+UID=a") == "x-own=1,UID=a+1.2.3=#0401");
}

TEST_CASE("what is no distinguished name is refused with the reason", "[config]") {
    CHECK(why_not("") == "want a type such as \"CN\" before \"\"");
    CHECK(why_not("CN=a,") == "want a type such as \"CN\" before \"\"");
    CHECK(why_not(",CN=a") == "want a type such as \"CN\" before \",CN=a\"");
    CHECK(why_not("backup") == "want an equals sign behind \"backup\"");
    CHECK(why_not("/CN=backup") == "want a type such as \"CN\" or \"2.5.4.3\", got \"/CN\"");
    for (const std::string type : {"2", "2.", ".2", "2..3", "02.1", "2.03", "c_n", "-a", "1a"})
        CHECK(why_not(type + "=a") ==
              "want a type such as \"CN\" or \"2.5.4.3\", got \"" + type + "\"");
    for (const std::string c : {"\"", ";", "<", ">"})
        CHECK(why_not("CN=a" + c).find("want a backslash before ") == 0);
    for (const std::string end : {"\\", "\\x", "\\4", "\\4x", "\\g0"})
        CHECK(why_not("CN=a" + end) ==
              "want a special character or two hexadecimal digits behind the backslash");
    CHECK(why_not("CN=#") == "want pairs of hexadecimal digits behind \"#\"");
    CHECK(why_not("CN=#040") == "want pairs of hexadecimal digits behind \"#\"");
    CHECK(why_not("CN=#04x") == "want a comma or a plus sign before \"x\"");
    for (const std::string byte : {"\\00", "\\ff", "\\C3", "\xFF"})
        CHECK(why_not("CN=a" + byte) == "want values in UTF-8, without NUL");
    CHECK(why_not(std::string_view("CN=a\0", 5)) == "want values in UTF-8, without NUL");
}

TEST_CASE("a distinguished name has at most 4096 bytes", "[config]") {
    CHECK_NOTHROW(parsed("CN=" + std::string(4093, 'a')));
    CHECK_THROWS_WITH(parsed("CN=" + std::string(4094, 'a')),
                      "want a distinguished name of at most 4096 bytes, got 4097");
    std::string escaped = "CN=";
    for (int i = 0; i < 4093; ++i)
        escaped += "\\61";
    CHECK(to_string(parsed(escaped)).size() == 4096);
    CHECK_THROWS(parsed("E=" + std::string(4090, 'a')));
}

TEST_CASE("a type that is no number and not known is told", "[config]") {
    CHECK_FALSE(unknown_type(parsed("CN=a+UID=b,1.2.3=c,DC=d")));
    CHECK(unknown_type(parsed("CN=a,CM=b+O=c")) == "cm");
}
