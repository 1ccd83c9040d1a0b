#include "server/negotiation.hpp"
#include "tests/support/scripted_client.hpp"

#include <catch2/catch.hpp>

namespace interposed::server {

using protocol::Bytes;
using protocol::Option;
using tests::info_data;
using tests::option_reply;
using tests::wire;

namespace {

using Next = Negotiation::Next;

constexpr std::uint32_t ack = 1;
constexpr std::uint32_t err_unsup = 0x80000001;
constexpr std::uint32_t err_invalid = 0x80000003;
constexpr std::uint32_t err_tls_reqd = 0x80000005;
constexpr std::uint32_t err_unknown = 0x80000006;
constexpr std::uint32_t err_shutdown = 0x80000007;
constexpr std::uint32_t err_too_big = 0x80000009;
constexpr std::uint32_t err_ext_header_reqd = 0x8000000a;

class FakeCatalog final : public Catalog {
public:
    [[nodiscard]] std::vector<std::shared_ptr<const Export>> visible() const override {
        return exports;
    }
    [[nodiscard]] std::shared_ptr<const Export> find(std::string_view name) const override {
        for (const auto& each : exports) {
            if (each->name == name)
                return each;
        }
        return nullptr;
    }
    [[nodiscard]] bool closing() const override { return is_closing; }

    std::vector<std::shared_ptr<const Export>> exports;
    bool is_closing = false;
};

/// A catalog with "disk" and "other", and one client's haggling.
struct Haggle {
    explicit Haggle(bool fixed_newstyle = true, bool no_zeroes = true,
                    Security security = Security::none)
        : negotiation(catalog, {.fixed_newstyle = fixed_newstyle, .no_zeroes = no_zeroes},
                      security) {
        auto disk = tests::memory_export("disk", {std::make_shared<tests::MemoryDevice>(8192)});
        disk->description = "a disk";
        catalog.exports = {
            disk, tests::memory_export("other", {std::make_shared<tests::MemoryDevice>(4096)})};
    }

    Next say(std::uint32_t option, const Bytes& data = {}) {
        out.clear();
        return negotiation.answer({.option = static_cast<Option>(option),
                                   .length = static_cast<std::uint32_t>(data.size())},
                                  data, out);
    }

    /// The type of the last reply.
    [[nodiscard]] std::uint32_t final_type() const {
        std::uint32_t type = 0;
        for (std::size_t at = 0; at + 20 <= out.size();) {
            type = protocol::load_be<std::uint32_t>(out.data() + at + 12);
            at += 20 + protocol::load_be<std::uint32_t>(out.data() + at + 16);
        }
        return type;
    }

    FakeCatalog catalog;
    Negotiation negotiation;
    Bytes out;
};

Bytes contexts(std::string_view name, std::initializer_list<std::string_view> queries) {
    auto data = wire().u32(static_cast<std::uint32_t>(name.size())).text(name);
    data.u32(static_cast<std::uint32_t>(queries.size()));
    for (const auto query : queries)
        data.u32(static_cast<std::uint32_t>(query.size())).text(query);
    return data;
}

} // namespace

TEST_CASE("LIST names every export with its description", "[server]") {
    Haggle haggle;
    CHECK(haggle.say(3) == Next::option);
    CHECK(haggle.out ==
          Bytes(wire()
                    .raw(option_reply(3, 2, wire().u32(4).text("disk").text("a disk")))
                    .raw(option_reply(3, 2, wire().u32(5).text("other")))
                    .raw(option_reply(3, ack))));
}

TEST_CASE("options without data refuse data", "[server]") {
    Haggle haggle;
    for (const std::uint32_t option : {3U, 8U, 11U}) {
        haggle.say(option, wire().text("x"));
        CHECK(haggle.final_type() == err_invalid);
    }
    CHECK(haggle.negotiation.framing() == protocol::Framing::simple);
}

TEST_CASE("unknown options are answered, and the haggling goes on", "[server]") {
    Haggle haggle;
    for (const std::uint32_t option : {4U, 5U, 12U, 0x7654321U}) {
        CHECK(haggle.say(option, wire().text("12345")) == Next::option);
        CHECK(haggle.final_type() == err_unsup);
    }
    CHECK(haggle.say(3) == Next::option);
}

TEST_CASE("GO enters transmission with size, flags and block sizes", "[server]") {
    Haggle haggle;
    CHECK(haggle.say(7, info_data("disk")) == Next::transmission);
    CHECK(haggle.negotiation.chosen()->name == "disk");
    CHECK(haggle.out ==
          Bytes(wire()
                    .raw(option_reply(7, 3, wire().u16(0).u64(8192).u16(0x0d6d)))
                    .raw(option_reply(7, 3, wire().u16(3).u32(1).u32(4096).u32(1U << 25)))
                    .raw(option_reply(7, ack))));
}

TEST_CASE("INFO says the same as GO and stays in the haggling", "[server]") {
    Haggle haggle;
    const auto told = [&](std::uint32_t option) {
        return Bytes(wire()
                         .raw(option_reply(option, 3, wire().u16(0).u64(8192).u16(0x0d6d)))
                         .raw(option_reply(option, 3, wire().u16(3).u32(1).u32(4096).u32(1U << 25)))
                         .raw(option_reply(option, ack)));
    };
    CHECK(haggle.say(6, info_data("disk")) == Next::option);
    CHECK(haggle.out == told(6));
    CHECK(haggle.say(7, info_data("disk")) == Next::transmission);
    CHECK(haggle.out == told(7));
}

TEST_CASE("name and description are told when asked for", "[server]") {
    Haggle haggle;
    haggle.say(6, wire().u32(4).text("disk").u16(2).u16(1).u16(2));
    const std::string text(reinterpret_cast<const char*>(haggle.out.data()), haggle.out.size());
    CHECK(text.find("a disk") != std::string::npos);
    CHECK(haggle.final_type() == ack);
}

TEST_CASE("an unknown export is told from a malformed request, and neither ends the haggling",
          "[server]") {
    Haggle haggle;
    const std::uint32_t option = GENERATE(6U, 7U);
    CHECK(haggle.say(option, info_data("nothing")) == Next::option);
    CHECK(haggle.final_type() == err_unknown);
    CHECK(haggle.say(option, wire().u16(0)) == Next::option);
    CHECK(haggle.final_type() == err_invalid);
    CHECK(haggle.say(option, info_data(std::string(4097, 'a'))) == Next::option);
    CHECK(haggle.final_type() == err_invalid);
    CHECK(haggle.say(7, info_data("disk")) == Next::transmission);
}

TEST_CASE("EXPORT_NAME answers with the export or not at all", "[server]") {
    Haggle good;
    CHECK(good.say(1, wire().text("other")) == Next::transmission);
    CHECK(good.out == Bytes(wire().u64(4096).u16(0x0d6d)));
    Haggle with_zeroes(true, false);
    CHECK(with_zeroes.say(1, wire().text("other")) == Next::transmission);
    CHECK(with_zeroes.out.size() == 134);
    Haggle bad;
    CHECK(bad.say(1, wire().text("nothing")) == Next::close);
    CHECK(bad.out.empty());
}

TEST_CASE("without fixed newstyle only EXPORT_NAME is understood", "[server]") {
    Haggle other(false);
    CHECK(other.say(3) == Next::close);
    Haggle plain(false, false);
    CHECK(plain.say(1, wire().text("disk")) == Next::transmission);
}

TEST_CASE("ABORT is acknowledged, then the connection closes", "[server]") {
    Haggle haggle;
    CHECK(haggle.say(2, wire().text("whatever")) == Next::close);
    CHECK(haggle.out == option_reply(2, ack));
}

TEST_CASE("DF is offered only with structured replies", "[server]") {
    Haggle haggle;
    haggle.say(8);
    CHECK(haggle.final_type() == ack);
    haggle.say(7, info_data("disk"));
    CHECK(protocol::load_be<std::uint16_t>(haggle.out.data() + 30) == (0x0d6d | 0x0080));
}

TEST_CASE("a context can be selected only behind structured replies", "[server]") {
    Haggle haggle;
    haggle.say(10, contexts("disk", {"base:allocation"}));
    CHECK(haggle.final_type() == err_invalid);
    haggle.say(8);
    haggle.say(10, contexts("disk", {"base:allocation"}));
    CHECK(haggle.out == Bytes(wire()
                                  .raw(option_reply(10, 4, wire().u32(1).text("base:allocation")))
                                  .raw(option_reply(10, ack))));
    haggle.say(7, info_data("disk"));
    CHECK(haggle.negotiation.contexts().has(Context::allocation));
}

TEST_CASE("LIST_META_CONTEXT takes the namespace as a wildcard, SET does not", "[server]") {
    Haggle haggle;
    haggle.say(8);
    const Bytes listed = wire()
                             .raw(option_reply(9, 4, wire().u32(0).text("base:allocation")))
                             .raw(option_reply(9, ack));
    const Bytes depth = wire()
                            .raw(option_reply(9, 4, wire().u32(0).text("qemu:allocation-depth")))
                            .raw(option_reply(9, ack));
    const Bytes all =
        wire().raw(option_reply(9, 4, wire().u32(0).text("base:allocation"))).raw(depth);
    haggle.say(9, contexts("disk", {}));
    CHECK(haggle.out == all);
    haggle.say(9, contexts("disk", {"base:"}));
    CHECK(haggle.out == listed);
    haggle.say(9, contexts("disk", {"qemu:"}));
    CHECK(haggle.out == depth);
    haggle.say(9, contexts("disk", {"base:other", "x-foo:bar", "nocolon"}));
    CHECK(haggle.out == option_reply(9, ack));
    haggle.say(10, contexts("disk", {"base:"}));
    CHECK(haggle.out == option_reply(10, ack));
}

TEST_CASE("a failed selection forgets the one before", "[server]") {
    Haggle haggle;
    haggle.say(8);
    haggle.say(10, contexts("disk", {"base:allocation"}));
    const bool by_zero_queries = GENERATE(false, true);
    haggle.say(10,
               by_zero_queries ? contexts("disk", {}) : contexts("nothing", {"base:allocation"}));
    CHECK(haggle.final_type() == (by_zero_queries ? ack : err_unknown));
    haggle.say(7, info_data("disk"));
    CHECK(haggle.negotiation.contexts().empty());
}

TEST_CASE("a context selected for one export is not there on another", "[server]") {
    Haggle haggle;
    haggle.say(8);
    haggle.say(10, contexts("other", {"base:allocation"}));
    haggle.say(7, info_data("disk"));
    CHECK(haggle.negotiation.contexts().empty());
}

TEST_CASE("every context that is selected has an id of its own", "[server]") {
    Haggle haggle;
    haggle.say(8);
    haggle.say(10, contexts("disk", {"qemu:allocation-depth", "base:allocation"}));
    CHECK(haggle.out ==
          Bytes(wire()
                    .raw(option_reply(10, 4, wire().u32(1).text("base:allocation")))
                    .raw(option_reply(10, 4, wire().u32(2).text("qemu:allocation-depth")))
                    .raw(option_reply(10, ack))));
}

TEST_CASE("extended headers come instead of structured replies, in either order", "[server]") {
    Haggle haggle;
    if (GENERATE(false, true))
        haggle.say(8);
    haggle.say(11);
    CHECK(haggle.out == option_reply(11, ack));
    haggle.say(8);
    CHECK(haggle.final_type() == err_ext_header_reqd);
    haggle.say(10, contexts("disk", {"base:allocation"}));
    CHECK(haggle.final_type() == ack);
    CHECK(haggle.say(7, info_data("disk")) == Next::transmission);
    CHECK(haggle.negotiation.framing() == protocol::Framing::extended);
    CHECK(protocol::load_be<std::uint16_t>(haggle.out.data() + 30) == (0x0d6d | 0x1080));
}

TEST_CASE("who asked for extended headers may not use EXPORT_NAME", "[server]") {
    Haggle haggle;
    haggle.say(11);
    CHECK(haggle.say(1, wire().text("disk")) == Next::close);
    CHECK(haggle.out.empty());
}

TEST_CASE("an option that is too long is refused without its data", "[server]") {
    Haggle haggle;
    Bytes out;
    CHECK(haggle.negotiation.answer({.option = Option::go, .length = 0xffffffff}, {}, out) ==
          Next::option);
    haggle.out = out;
    CHECK(haggle.final_type() == err_too_big);
}

TEST_CASE("haggling without end is ended", "[server]") {
    Haggle haggle;
    for (unsigned i = 0; i < Negotiation::max_options; ++i)
        REQUIRE(haggle.say(3) == Next::option);
    CHECK(haggle.say(3) == Next::close);
}

TEST_CASE("while shutting down only ABORT is served", "[server]") {
    Haggle haggle;
    haggle.catalog.is_closing = true;
    CHECK(haggle.say(3) == Next::option);
    CHECK(haggle.final_type() == err_shutdown);
    CHECK(haggle.say(7, info_data("disk")) == Next::option);
    CHECK(haggle.final_type() == err_shutdown);
    CHECK(haggle.say(1, wire().text("disk")) == Next::close);
}

TEST_CASE("without TLS, STARTTLS is not known", "[server]") {
    Haggle haggle;
    CHECK(haggle.say(5) == Next::option);
    CHECK(haggle.final_type() == err_unsup);
}

TEST_CASE("STARTTLS is acknowledged where TLS is offered or required", "[server]") {
    for (const Security security : {Security::offered, Security::required}) {
        Haggle haggle(true, true, security);
        CHECK(haggle.say(5, wire().text("data")) == Next::option);
        CHECK(haggle.final_type() == err_invalid);
        CHECK(haggle.say(5) == Next::start_tls);
        CHECK(haggle.out == Bytes(option_reply(5, ack)));
    }
}

TEST_CASE("STARTTLS inside TLS is refused", "[server]") {
    Haggle haggle(true, true, Security::established);
    CHECK(haggle.say(5) == Next::option);
    CHECK(haggle.final_type() == err_invalid);
}

TEST_CASE("where TLS is required, nothing else is answered before", "[server]") {
    Haggle haggle(true, true, Security::required);
    for (const std::uint32_t option : {3U, 6U, 7U, 8U, 9U, 10U, 11U, 4711U}) {
        CHECK(haggle.say(option, info_data("disk")) == Next::option);
        CHECK(haggle.final_type() == err_tls_reqd);
    }
    CHECK(haggle.say(1, wire().text("disk")) == Next::close);
    CHECK(haggle.out.empty());
}

TEST_CASE("where TLS is required, one may still leave", "[server]") {
    Haggle haggle(true, true, Security::required);
    CHECK(haggle.say(2) == Next::close);
    CHECK(haggle.final_type() == ack);
}

TEST_CASE("where TLS is offered, an export that is not there may need it", "[server]") {
    Haggle haggle(true, true, Security::offered);
    for (const std::uint32_t option : {6U, 7U}) {
        haggle.say(option, info_data("hidden"));
        CHECK(haggle.final_type() == err_tls_reqd);
    }
    haggle.say(9, contexts("hidden", {}));
    CHECK(haggle.final_type() == err_unknown);
    CHECK(haggle.say(7, info_data("disk")) == Next::transmission);
}

TEST_CASE("inside TLS an export that is not there is not there", "[server]") {
    Haggle haggle(true, true, Security::established);
    haggle.say(7, info_data("hidden"));
    CHECK(haggle.final_type() == err_unknown);
}

TEST_CASE("without fixed newstyle there is no TLS", "[server]") {
    Haggle haggle(false, true, Security::offered);
    CHECK(haggle.say(5) == Next::close);
    CHECK(haggle.out.empty());
}

} // namespace interposed::server
