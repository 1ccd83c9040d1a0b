#include "tests/fuzz/choices.hpp"
#include "tests/fuzz/openings.hpp"
#include "tests/fuzz/replies.hpp"

// A client that keeps to the protocol, and may ask for anything within it: all it is told must be
// right. The input: the choices, then records of 8 bytes, each a request: the command, flags, and
// three bytes each for offset and length. Every request must be answered once, in the form that was
// agreed on; and where devices neither fail nor change the order, with what a model of the export
// says.

namespace interposed::fuzz {

namespace {

constexpr std::size_t most_requests = 64;
/// Large requests are slow to carry out: behind so many bytes of them there are only small ones.
constexpr std::uint32_t most_bytes = 1 << 20;
constexpr std::uint32_t small = 4096;
constexpr std::uint8_t commands = 8;
constexpr std::uint16_t disconnect = 2;

/// How a conversation begins, and what is agreed on then.
struct Beginning {
    unsigned opening;
    const char* name; ///< of the export
    Form form;
};
constexpr std::array beginnings = {
    Beginning{3, "large", {}},
    Beginning{4, "disk", {.structured = true, .contexts = 1U << 1U}},
    Beginning{5, "large", {.structured = true}},
    Beginning{6, "blocks", {.structured = true, .contexts = 1U << 1U}},
    Beginning{7, "disk", {.structured = true, .extended = true, .contexts = 3U << 1U}},
    Beginning{8, "large", {.structured = true, .extended = true, .contexts = 3U << 1U}},
};

std::uint32_t take_three_bytes(Input& input) {
    const std::uint32_t high = input.take<std::uint16_t>();
    return high << 8U | input.take<std::uint8_t>();
}

Asked take_request(Input& input, const Form& form, std::uint32_t& bytes) {
    Asked asked;
    asked.command = input.take<std::uint8_t>() % commands;
    asked.flags = input.take<std::uint8_t>();
    asked.offset = take_three_bytes(input);
    asked.length = take_three_bytes(input);
    if (form.extended && asked.command == cmd::write)
        asked.flags ^= static_cast<std::uint16_t>(cmd::flag_payload_len); // which it usually has
    if (asked.command == cmd::block_status) {
        for (const std::uint32_t context : {1U, 2U}) {
            if ((asked.length & context) != 0)
                asked.queried.push_back(context);
        }
    } else if (asked.command == cmd::read || has_payload(form, asked)) {
        if (bytes + asked.length > most_bytes)
            asked.length %= small;
        bytes += asked.length;
    }
    return asked;
}

/// What the export contains, as far as a client can know.
class Model {
public:
    void begin(Fixture& fixture, std::string_view name) {
        fixture_ = &fixture;
        served_ = fixture.world.exports.find(name)->now();
        read_all(contents_);
    }

    /// What becomes of a request, if that is certain.
    void expect(Asked& asked, const Form& form, std::byte written) {
        const std::uint32_t block = served_->layer().limits().minimum_block;
        const bool inside = asked.offset + asked.length <= contents_.size();
        const bool whole = asked.offset % block == 0 && asked.length % block == 0;
        asked.must_fail = !inside && asked.command != cmd::flush;
        asked.must_succeed = inside && whole && (asked.flags & ~legal_flags(asked, form)) == 0;
        if (asked.command == cmd::block_status)
            asked.must_succeed = asked.must_succeed && form.contexts != 0 && asked.length > 0;
        if (asked.command == cmd::write)
            asked.must_succeed = asked.must_succeed && has_payload(form, asked);
        if (!asked.must_succeed)
            return;
        const auto begin = contents_.begin() + static_cast<std::ptrdiff_t>(asked.offset);
        if (asked.command == cmd::read)
            asked.data.assign(begin, begin + asked.length);
        else if (asked.command == cmd::write)
            std::fill(begin, begin + asked.length, written);
        else if (asked.command == cmd::write_zeroes)
            std::fill(begin, begin + asked.length, std::byte{0});
    }

    /// What was refused has changed nothing, and what was done has changed that and no more.
    void check() {
        read_all(found_);
        require(text_of(found_) == text_of(contents_), "an export contains what was written");
    }

private:
    [[nodiscard]] unsigned legal_flags(const Asked& asked, const Form& form) const {
        const bool fast = served_->name == "large";
        switch (asked.command) {
        case cmd::read:
            return cmd::flag_fua | (form.structured ? cmd::flag_df : 0U);
        case cmd::write:
            return cmd::flag_fua | (form.extended ? cmd::flag_payload_len : 0U);
        case cmd::write_zeroes:
            return cmd::flag_fua | cmd::flag_no_hole | (fast ? cmd::flag_fast_zero : 0U);
        case cmd::block_status:
            return cmd::flag_fua | cmd::flag_req_one;
        default:
            return cmd::flag_fua;
        }
    }

    void read_all(Bytes& into) {
        into.resize(served_->size());
        devices::Operation whole{
            .extent = {0, into.size()}, .data = into.data(), .done = [](devices::Operation&) {}};
        devices::Engine& engine = fixture_->loop.engine();
        if (served_->layer().try_now(engine, whole))
            return;
        served_->layer().submit(engine, whole);
        for (WatchedDevice* device : fixture_->world.devices()) {
            while (device->answer_one(engine, false)) {
            }
        }
    }

    Fixture* fixture_ = nullptr;
    std::shared_ptr<const server::Export> served_;
    Bytes contents_;
    Bytes found_;
};

void converse(Fixture& fixture, Input& input) {
    const Choices choices(input);
    const Beginning& beginning = beginnings.at(choices.opening % beginnings.size());
    // Also slow devices do one thing after the other, if they are not told to begin at the end.
    const bool certain =
        choices.weather.error == 0 && !(choices.weather.slow && choices.weather.newest_first);
    ConnectedClient client(fixture, choices.weather);
    static Model model; // large: made anew it would take most of the time
    if (certain)
        model.begin(fixture, beginning.name);
    std::vector<Asked> all;
    std::uint32_t bytes = 0;
    Bytes& said = fixture.said;
    const Bytes opened = opening(beginning.opening);
    said.assign(opened.begin(), opened.end());
    while (!input.empty() && all.size() < most_requests) {
        Asked asked = take_request(input, beginning.form, bytes);
        const auto written = static_cast<std::byte>(0x80 + all.size());
        append_request(said, beginning.form, asked, all.size(), written);
        if (asked.command == disconnect)
            break;
        if (certain)
            model.expect(asked, beginning.form, written);
        all.push_back(std::move(asked));
    }
    send_in_pieces(client, said, choices.piece);
    client.stop_sending();
    while (client.go_on()) {
    }
    require(client.ended(), "a connection ends when its client has said all");
    Replies replies(client.heard(), beginning.form, all);
    replies.skip_handshake();
    replies.take_all();
    if (certain)
        model.check();
}

} // namespace

} // namespace interposed::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static interposed::fuzz::Fixture fixture;
    interposed::fuzz::Input input(data, size);
    interposed::fuzz::converse(fixture, input);
    return 0;
}
