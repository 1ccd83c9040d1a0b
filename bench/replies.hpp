#pragma once

#include "bench/inbox.hpp"
#include "bench/slots.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace interposed::bench {

/// Turns received bytes into finished requests, simple and structured replies alike. Throws
/// ProtocolError for anything a server must not send, and for an error it reports.
class Replies {
public:
    /// `payloads` has room for `block` bytes of each slot, or is empty where nobody wants to see
    /// what a READ returned.
    Replies(Slots& slots, bool structured, std::span<std::byte> payloads, std::uint32_t block)
        : slots_(slots), structured_(structured), payloads_(payloads), block_(block) {}

    /// Takes everything complete out of the inbox and appends the slots that are finished.
    void take(Inbox& inbox, std::vector<std::size_t>& finished);

private:
    bool take_one(Inbox& inbox, std::vector<std::size_t>& finished);
    bool take_payload(Inbox& inbox, std::vector<std::size_t>& finished);
    bool take_simple(Inbox& inbox, std::vector<std::size_t>& finished);
    bool take_chunk(Inbox& inbox, std::vector<std::size_t>& finished);
    bool take_data(Inbox& inbox, std::size_t slot, std::uint32_t length, bool last);
    bool take_hole(Inbox& inbox, std::size_t slot, std::uint32_t length);
    bool take_error(Inbox& inbox, std::size_t slot, std::uint32_t length);

    void expect_payload(std::size_t slot, std::uint64_t offset, std::uint64_t length, bool last);
    void finish(std::size_t slot, std::vector<std::size_t>& finished);
    [[nodiscard]] std::byte* room(std::size_t slot, std::uint64_t offset);
    [[noreturn]] void fail(std::size_t slot, const std::string& what) const;

    /// The payload that is being received.
    struct Payload {
        std::size_t slot = 0;
        std::uint64_t left = 0;
        std::byte* to = nullptr; ///< null: only counted
        bool last = false;       ///< the request is finished with it
    };

    Slots& slots_;
    bool structured_;
    std::span<std::byte> payloads_;
    std::uint32_t block_;
    Payload payload_;
};

} // namespace interposed::bench
