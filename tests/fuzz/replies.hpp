#pragma once

#include "tests/fuzz/fuzz.hpp"

#include <algorithm>
#include <array>
#include <vector>

/// The transmission phase as a client sees it, written from proto.md and not from our code.
namespace interposed::fuzz {

namespace cmd {
inline constexpr std::uint16_t read = 0;
inline constexpr std::uint16_t write = 1;
inline constexpr std::uint16_t flush = 3;
inline constexpr std::uint16_t cache = 5;
inline constexpr std::uint16_t write_zeroes = 6;
inline constexpr std::uint16_t block_status = 7;
inline constexpr unsigned flag_fua = 1;
inline constexpr unsigned flag_no_hole = 2;
inline constexpr unsigned flag_df = 4;
inline constexpr unsigned flag_req_one = 8;
inline constexpr unsigned flag_fast_zero = 16;
inline constexpr unsigned flag_payload_len = 32;
} // namespace cmd

/// Which messages were agreed on.
struct Form {
    bool structured = false;
    bool extended = false; ///< and so structured
    unsigned contexts = 0; ///< a bit for each number
};

/// A request and what is known of its answer.
struct Asked {
    std::uint16_t command = 0;
    std::uint16_t flags = 0;
    std::uint64_t offset = 0;
    std::uint32_t length = 0;           ///< bytes concerned
    std::vector<std::uint32_t> queried; ///< contexts in the payload of BLOCK_STATUS
    bool must_succeed = false;
    bool must_fail = false;
    Bytes data; ///< what a READ that must succeed has to give

    // What has arrived of the answer.
    bool answered = false;
    std::uint32_t error = 0;
    std::uint64_t arrived = 0; ///< bytes
    unsigned chunks = 0;       ///< with data
    unsigned contexts = 0;     ///< that were told of

    [[nodiscard]] bool has(unsigned flag) const { return (flags & flag) != 0; }
};

inline bool has_payload(const Form& form, const Asked& asked) {
    return form.extended ? asked.has(cmd::flag_payload_len) : asked.command == cmd::write;
}

/// The cookie is the request's number. A payload is filled with `written`, but for BLOCK_STATUS.
inline void append_request(Bytes& to, const Form& form, const Asked& asked, std::uint64_t number,
                           std::byte written) {
    const bool payload = has_payload(form, asked);
    const bool query = payload && asked.command == cmd::block_status;
    const auto length =
        query ? static_cast<std::uint32_t>(8 + 4 * asked.queried.size()) : asked.length;
    protocol::append_be(to, std::uint32_t{form.extended ? 0x21e41c71U : 0x25609513U});
    protocol::append_be(to, asked.flags);
    protocol::append_be(to, asked.command);
    protocol::append_be(to, number);
    protocol::append_be(to, asked.offset);
    if (form.extended)
        protocol::append_be(to, std::uint64_t{length});
    else
        protocol::append_be(to, length);
    if (query) {
        protocol::append_be(to, std::uint64_t{asked.length});
        for (const std::uint32_t context : asked.queried)
            protocol::append_be(to, context);
    } else if (payload) {
        to.insert(to.end(), asked.length, written);
    }
}

/// Takes the replies of one conversation apart.
class Replies {
public:
    Replies(std::span<const std::byte> heard, Form form, std::vector<Asked>& all)
        : reader_(heard), form_(form), all_(all) {}

    /// The handshake ends with the ACK to GO.
    void skip_handshake() {
        constexpr std::uint32_t go = 7;
        constexpr std::uint32_t ack = 1;
        reader_.take_text(18);
        for (bool gone = false; !gone && reader_.ok();) {
            require(reader_.take<std::uint64_t>() == 0x0003e889045565a9, "options are answered");
            const auto option = reader_.take<std::uint32_t>();
            gone = reader_.take<std::uint32_t>() == ack && option == go;
            reader_.take_text(reader_.take<std::uint32_t>());
        }
    }

    void take_all() {
        while (reader_.left() > 0)
            take_one();
        for (const Asked& asked : all_)
            check(asked);
    }

private:
    void take_one() {
        const auto magic = reader_.take<std::uint32_t>();
        if (magic == 0x67446698 && !form_.extended)
            take_simple();
        else if (magic == (form_.extended ? 0x6e8a278c : 0x668e33ef) && form_.structured)
            take_chunk();
        else
            require(false, "a reply has the magic that was agreed on");
        require(reader_.ok(), "a reply is complete");
    }

    Asked& asked_by(std::uint64_t cookie) {
        require(cookie < all_.size(), "a reply has the cookie of a request");
        require(!all_[cookie].answered, "a request is answered once");
        return all_[cookie];
    }

    void take_simple() {
        const auto error = reader_.take<std::uint32_t>();
        Asked& asked = asked_by(reader_.take<std::uint64_t>());
        require(!form_.structured ||
                    (asked.command != cmd::read && asked.command != cmd::block_status) ||
                    error != 0,
                "data come in chunks if that was agreed on");
        set_error(asked, error);
        asked.answered = true;
        if (asked.command == cmd::read && error == 0)
            take_data(asked, asked.offset, asked.length);
    }

    void take_chunk() {
        const auto flags = reader_.take<std::uint16_t>();
        const auto type = reader_.take<std::uint16_t>();
        Asked& asked = asked_by(reader_.take<std::uint64_t>());
        require(!form_.extended || reader_.take<std::uint64_t>() == asked.offset,
                "an extended chunk has the offset of its request");
        const auto length =
            form_.extended ? reader_.take<std::uint64_t>() : reader_.take<std::uint32_t>();
        require(length < (1U << 26), "a chunk is no longer than any answer");
        require((flags & ~1U) == 0, "a chunk has known flags");
        switch (type) {
        case 0:
            require(length == 0 && flags == 1, "a chunk of nothing is the last");
            break;
        case 1:
            require(length > 8, "a chunk has data");
            take_data(asked, reader_.take<std::uint64_t>(), length - 8);
            break;
        case 2:
            require(length == 12, "a hole has an offset and a length");
            take_hole(asked);
            break;
        case 5:
            require(!form_.extended && length >= 12 && length % 8 == 4,
                    "block status has a context and runs");
            take_status<std::uint32_t>(asked, static_cast<unsigned>(length / 8));
            break;
        case 6:
            require(form_.extended && length >= 24 && length % 16 == 8,
                    "extended block status has a context and runs");
            take_status<std::uint64_t>(asked, static_cast<unsigned>(length / 16));
            break;
        default:
            take_error(asked, type, length);
        }
        asked.answered = flags == 1;
    }

    /// What the model says of a part of a READ.
    static std::string_view wanted(Asked& asked, std::uint64_t offset, std::uint64_t length) {
        require(asked.command == cmd::read && offset >= asked.offset && length <= asked.length &&
                    offset - asked.offset <= asked.length - length,
                "data are those that were asked for");
        asked.arrived += length;
        ++asked.chunks;
        return text_of(asked.data)
            .substr(std::min<std::size_t>(offset - asked.offset, asked.data.size()), length);
    }

    void take_data(Asked& asked, std::uint64_t offset, std::uint64_t length) {
        const auto right = wanted(asked, offset, length);
        const std::string_view got = reader_.take_text(length);
        require(reader_.ok(), "data are complete");
        require(!asked.must_succeed || got == right, "what was written is read");
    }

    void take_hole(Asked& asked) {
        const auto offset = reader_.take<std::uint64_t>();
        const auto right = wanted(asked, offset, reader_.take<std::uint32_t>());
        require(right.find_first_not_of('\0') == std::string_view::npos, "a hole is zeroes");
    }

    template <typename T>
    void take_status(Asked& asked, unsigned runs) {
        const auto context = reader_.take<std::uint32_t>();
        const unsigned bit = context < 32 ? 1U << context : 0U;
        require(asked.command == cmd::block_status && (form_.contexts & bit) != 0 &&
                    (asked.contexts & bit) == 0,
                "each context that was selected is told of once");
        asked.contexts |= bit;
        require(!form_.extended || reader_.take<std::uint32_t>() == runs, "runs are counted");
        require(runs == 1 || !asked.has(cmd::flag_req_one), "REQ_ONE gives one run");
        std::uint64_t told = 0;
        for (unsigned i = 0; i < runs; ++i) {
            require(told < asked.length, "runs end when all is told");
            const T run = reader_.take<T>();
            require(run > 0 && run <= asked.length - told, "a run is within what was asked");
            told += run;
            reader_.take<T>();
        }
    }

    void take_error(Asked& asked, std::uint16_t type, std::uint64_t length) {
        require(type == 0x8001 || type == 0x8002, "the type of a chunk is known");
        const std::size_t place = type == 0x8002 ? 8 : 0;
        const auto error = reader_.take<std::uint32_t>();
        const auto text = reader_.take<std::uint16_t>();
        require(error != 0 && length == 6 + text + place, "an error has a number and a text");
        reader_.take_text(text);
        if (place > 0) {
            const auto offset = reader_.take<std::uint64_t>();
            require(offset >= asked.offset && offset - asked.offset < asked.length,
                    "an error is where the request is");
        }
        set_error(asked, error);
    }

    static void set_error(Asked& asked, std::uint32_t error) {
        constexpr std::array<std::uint32_t, 9> known = {0, 1, 5, 12, 22, 28, 75, 95, 108};
        require(std::find(known.begin(), known.end(), error) != known.end(), "an error is known");
        asked.error = error;
    }

    void check(const Asked& asked) const {
        const bool done = asked.error == 0;
        require(asked.answered, "every request is answered");
        require(!asked.must_succeed || done, "what is allowed succeeds");
        require(!asked.must_fail || !done, "nothing outside the export succeeds");
        require(asked.command != cmd::read || !done || asked.arrived == asked.length,
                "data cover what was asked for");
        require(asked.chunks <= 1 || !asked.has(cmd::flag_df), "DF gives one chunk");
        unsigned queried = 0;
        for (const std::uint32_t context : asked.queried)
            queried |= 1U << context;
        const bool query = asked.has(cmd::flag_payload_len);
        require(asked.command != cmd::block_status || !done ||
                    asked.contexts == (query ? queried : form_.contexts),
                "all contexts that were asked for are told of");
    }

    protocol::ByteReader reader_;
    Form form_;
    std::vector<Asked>& all_;
};

} // namespace interposed::fuzz
