#include "config/config.hpp"

#include <catch2/catch.hpp>
#include <random>

using namespace interposed::config;

namespace {

/// Exports of every shape that a configuration can have, the same ones each time.
class Exports {
public:
    Export next() {
        Export one;
        one.name = text();
        one.description = text();
        one.claim = coin() ? Claim::shared : Claim::exclusive;
        one.cache = static_cast<Cache>(below(3));
        one.read_only = coin();
        one.optional = coin();
        if (coin())
            one.allow = rules();
        if (coin())
            one.max_connections = static_cast<std::uint32_t>(1 + below(0xFFFFFFFF));
        if (coin())
            one.qos = {rates(), rates()};
        one.table = table();
        return one;
    }

private:
    std::uint64_t below(std::uint64_t end) { return random_() % end; }
    bool coin() { return below(2) == 0; }

    /// Code points of every length in UTF-8, control characters too, but no NUL.
    std::string text() {
        constexpr std::uint64_t ends[] = {0x20, 0x7F, 0x80, 0x800, 0xD800, 0x10000, 0x110000};
        std::string text;
        for (std::uint64_t length = below(20); length > 0; --length) {
            std::uint64_t code = 1 + below(ends[below(std::size(ends))] - 1);
            if (0xD800 <= code && code < 0xE000)
                code = 0xE000; // the halves of pairs are no characters
            append(text, static_cast<std::uint32_t>(code));
        }
        return text;
    }

    static void append(std::string& text, std::uint32_t code) {
        const auto tail = [&](unsigned shift) {
            text += static_cast<char>(0x80U | ((code >> shift) & 0x3FU));
        };
        if (code < 0x80) {
            text += static_cast<char>(code);
        } else if (code < 0x800) {
            text += static_cast<char>(0xC0U | (code >> 6U));
            tail(0);
        } else if (code < 0x10000) {
            text += static_cast<char>(0xE0U | (code >> 12U));
            tail(6);
            tail(0);
        } else {
            text += static_cast<char>(0xF0U | (code >> 18U));
            tail(12);
            tail(6);
            tail(0);
        }
    }

    AddressRange range() {
        AddressRange range;
        range.v6 = coin();
        range.prefix_length = static_cast<std::uint8_t>(below(range.v6 ? 129 : 33));
        for (unsigned bit = 0; bit < range.prefix_length; ++bit)
            if (coin())
                range.address[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
        return range;
    }

    /// Of those that let somebody in, and with the same access, so that none is idle.
    std::vector<AccessRule> rules() {
        const Access access = coin() ? Access::read_only : Access::read_write;
        std::vector<AccessRule> rules(1 + below(4));
        for (AccessRule& rule : rules) {
            rule.access = access;
            rule.unix_socket = coin();
            if (!rule.unix_socket && coin())
                rule.address = range();
            if (!rule.address && coin())
                rule.user = Account{"u" + text(), {}};
            if (!rule.address && coin())
                rule.group = Account{std::to_string(below(0xFFFFFFFF)), {}};
            if (coin())
                rule.psk = "p" + text();
            else
                add_certificate(rule);
        }
        return rules;
    }

    void add_certificate(AccessRule& rule) {
        constexpr const char* names[] = {"dns:a.example", "dns:*.example", "email:A@b.example",
                                         "uri:spiffe://a/b", "ip:2001:db8::1"};
        if (coin())
            rule.tls_san = parse_alternative_name(names[below(std::size(names))]);
        if (coin())
            rule.tls_common_name = "n" + text();
        if (coin()) {
            DistinguishedName name;
            name.relatives.push_back({{"2.5.4.10", text()}, {"2.5.4.3", text()}});
            name.relatives.push_back({{"1.2." + std::to_string(below(99)), "04", true}});
            rule.tls_subject = std::move(name);
        }
    }

    RateLimit rates() {
        constexpr std::uint64_t largest = 0x7FFFFFFFFFFFFFFF;
        RateLimit rates;
        rates.iops = coin() ? 1 + below(largest) : 0;
        rates.iops_burst = rates.iops != 0 && coin() ? 1 + below(largest) : 0;
        rates.bandwidth = coin() ? 1 + below(largest) : 0;
        rates.bandwidth_burst = rates.bandwidth != 0 && coin() ? largest : 0;
        return rates;
    }

    std::vector<Segment> table() {
        std::vector<Segment> table(1 + below(5));
        std::uint64_t end = 0;
        for (Segment& segment : table) {
            segment.device = coin() ? "/" + text() : "8:" + std::to_string(below(1000));
            segment.start = end;
            segment.offset = below(std::uint64_t{1} << 62U);
            segment.length = 1 + below(std::uint64_t{1} << (1 + below(60)));
            end += *segment.length;
        }
        if (coin())
            table.back().length.reset();
        return table;
    }

    std::mt19937_64 random_{1};
};

Export read(const std::string& text) {
    return parse_export(text, "record", "/elsewhere");
}

} // namespace

TEST_CASE("an export that is written and read again means the same", "[config]") {
    Exports exports;
    for (int i = 0; i < 2000; ++i) {
        const Export one = exports.next();
        const std::string text = to_json(one);
        INFO(text);
        REQUIRE(read(text) == one);
        REQUIRE(to_json(read(text)) == text);
    }
}

TEST_CASE("a table in dmsetup's words is written in our own", "[config]") {
    const Export one = parse_export(
        R"({"name": "a", "qos": {"client": {"iops": 5}}, "dm_table": "0 8 linear b 1"})", "f",
        "/conf");
    CHECK(to_json(one) == R"({
  "name": "a",
  "description": "",
  "claim": "exclusive",
  "read_only": false,
  "optional": false,
  "qos": {"client": {"iops": 5}},
  "table": [
    {"kind": "linear", "device": "/conf/b", "start": 0, "offset": 512, "length": 4096}
  ]
}
)");
}

TEST_CASE("a hundred thousand segments can be written and read again", "[config]") {
    Export one;
    one.name = "large";
    for (std::uint64_t i = 0; i < 100000; ++i)
        one.table.push_back({"/dev/disk/by-id/wwn-0x5000", i * 4096, i * 8192, 4096, {}});
    CHECK(read(to_json(one)) == one);
}

TEST_CASE("what is not UTF-8 cannot be written", "[config]") {
    Export one;
    one.table.push_back({"/srv/\xFF", 0, 0, {}, {}});
    CHECK_THROWS_AS(to_json(one), std::invalid_argument);
}

TEST_CASE("exports and listeners are equal wherever they stand", "[config]") {
    const std::string text = R"({"name": "a", "allow": ["::1"], "qos": {"iops": 1},
        "table": [{"kind": "linear", "device": "/b", "length": 512}]})";
    const Export one = read(text);
    CHECK(read("\n\n  " + text) == one);
    CHECK(read(R"({"name": "a", "allow": ["::1/128"], "qos": {"iops": 1, "client": {}},
                   "claim": "exclusive", "dm_table": "0 1 linear /b 0"})") == one);

    const auto changed = [&one](auto change) {
        Export other = one;
        change(other);
        return !(other == one);
    };
    CHECK(changed([](Export& e) { e.name = "b"; }));
    CHECK(changed([](Export& e) { e.description = "b"; }));
    CHECK(changed([](Export& e) { e.claim = Claim::shared; }));
    CHECK(changed([](Export& e) { e.cache = Cache::direct; }));
    CHECK(changed([](Export& e) { e.read_only = true; }));
    CHECK(changed([](Export& e) { e.optional = true; }));
    CHECK(changed([](Export& e) { e.allow.reset(); }));
    CHECK(changed([](Export& e) { e.allow->front().address->prefix_length = 127; }));
    CHECK(changed([](Export& e) { e.allow->front().unix_socket = true; }));
    CHECK(changed([](Export& e) { e.allow->front().user = {"0", {}}; }));
    CHECK(changed([](Export& e) { e.allow->front().group = {"0", {}}; }));
    CHECK(changed([](Export& e) { e.allow->front().tls_subject.emplace(); }));
    CHECK(changed([](Export& e) { e.allow->front().tls_common_name = "a"; }));
    CHECK(changed([](Export& e) { e.allow->front().tls_san.emplace(); }));
    CHECK(changed([](Export& e) { e.allow->front().psk = "a"; }));
    CHECK(changed([](Export& e) { e.allow->front().access = Access::read_only; }));
    CHECK(changed([](Export& e) { e.max_connections = 1; }));
    CHECK(changed([](Export& e) { e.qos.per_client.bandwidth = 1; }));
    CHECK(changed([](Export& e) { e.table[0].device = "/c"; }));
    CHECK(changed([](Export& e) { e.table[0].start.reset(); }));
    CHECK(changed([](Export& e) { e.table[0].offset = 1; }));
    CHECK(changed([](Export& e) { e.table[0].length.reset(); }));

    Listener listener = parse_listener("tcp://h");
    listener.place = {3, 4, "listen[1]"};
    CHECK(listener == parse_listener("tcp://H:10809"));
    CHECK_FALSE(listener == parse_listener("tcp://h:1"));
    CHECK_FALSE(parse_listener("unix:///a") == parse_listener("unix:///b"));
    listener.allow.emplace();
    CHECK_FALSE(listener == parse_listener("tcp://h"));
    CHECK_FALSE(parse_listener("systemd:a") == parse_listener("systemd:b"));
}
