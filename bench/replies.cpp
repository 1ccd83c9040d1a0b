#include "bench/replies.hpp"

#include "bench/text.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace interposed::bench {

namespace {

constexpr std::size_t data_head = 8;  // offset
constexpr std::size_t hole_head = 12; // offset, length
constexpr std::size_t error_head = 6; // error, length of the text
constexpr std::size_t error_tail = 8; // offset, behind the text

} // namespace

void Replies::take(Inbox& inbox, std::vector<std::size_t>& finished) {
    while (take_one(inbox, finished)) {
    }
}

/// Whether there was something complete enough to take.
bool Replies::take_one(Inbox& inbox, std::vector<std::size_t>& finished) {
    if (payload_.left > 0)
        return take_payload(inbox, finished);
    if (inbox.bytes().size() < wire::simple_reply_size)
        return false;
    const auto magic = wire::load<std::uint32_t>(inbox.bytes().data());
    if (magic == wire::simple_reply_magic)
        return take_simple(inbox, finished);
    if (magic == wire::chunk_magic && structured_)
        return take_chunk(inbox, finished);
    throw ProtocolError("reply: unexpected magic " + hex(magic));
}

bool Replies::take_payload(Inbox& inbox, std::vector<std::size_t>& finished) {
    const auto there = inbox.bytes();
    const std::size_t count = std::min<std::uint64_t>(there.size(), payload_.left);
    if (count == 0)
        return false;
    if (payload_.to != nullptr) {
        std::memcpy(payload_.to, there.data(), count);
        payload_.to += count;
    }
    inbox.consume(count);
    payload_.left -= count;
    if (payload_.left == 0 && payload_.last)
        finish(payload_.slot, finished);
    return true;
}

bool Replies::take_simple(Inbox& inbox, std::vector<std::size_t>& finished) {
    const std::byte* const head = inbox.bytes().data();
    const std::size_t slot = slots_.find(wire::load<std::uint64_t>(head + 8));
    const Request& request = slots_[slot].request;
    if (const auto error = wire::load<std::uint32_t>(head + 4); error != 0)
        fail(slot, "the server answers error " + std::to_string(error));
    if (request.command == Command::read && structured_)
        fail(slot, "a simple reply, but structured ones were agreed on");
    inbox.consume(wire::simple_reply_size);
    if (request.command == Command::read)
        expect_payload(slot, request.offset, request.length, true);
    else
        finish(slot, finished);
    return true;
}

bool Replies::take_chunk(Inbox& inbox, std::vector<std::size_t>& finished) {
    if (inbox.bytes().size() < wire::chunk_size)
        return false;
    const std::byte* const head = inbox.bytes().data();
    const bool last = (wire::load<std::uint16_t>(head + 4) & wire::chunk_done) != 0;
    const auto type = wire::load<std::uint16_t>(head + 6);
    const std::size_t slot = slots_.find(wire::load<std::uint64_t>(head + 8));
    const auto length = wire::load<std::uint32_t>(head + 16);
    if ((type & wire::chunk_error_bit) != 0)
        return take_error(inbox, slot, length);
    if (type == wire::chunk_offset_data)
        return take_data(inbox, slot, length, last);
    if (type == wire::chunk_offset_hole) {
        if (!take_hole(inbox, slot, length))
            return false;
    } else if (type == wire::chunk_none && length == 0 && last) {
        inbox.consume(wire::chunk_size);
    } else {
        fail(slot,
             "a chunk of type " + std::to_string(type) + " and length " + std::to_string(length));
    }
    if (last)
        finish(slot, finished);
    return true;
}

bool Replies::take_data(Inbox& inbox, std::size_t slot, std::uint32_t length, bool last) {
    if (length <= data_head)
        fail(slot, "a data chunk of length " + std::to_string(length));
    if (inbox.bytes().size() < wire::chunk_size + data_head)
        return false;
    const auto offset = wire::load<std::uint64_t>(inbox.bytes().data() + wire::chunk_size);
    expect_payload(slot, offset, length - data_head, last);
    inbox.consume(wire::chunk_size + data_head);
    return true;
}

bool Replies::take_hole(Inbox& inbox, std::size_t slot, std::uint32_t length) {
    if (length != hole_head)
        fail(slot, "a hole chunk of length " + std::to_string(length));
    if (inbox.bytes().size() < wire::chunk_size + hole_head)
        return false;
    const std::byte* const body = inbox.bytes().data() + wire::chunk_size;
    const auto offset = wire::load<std::uint64_t>(body);
    const auto zeroes = wire::load<std::uint32_t>(body + 8);
    expect_payload(slot, offset, zeroes, false);
    if (payload_.to != nullptr)
        std::memset(payload_.to, 0, zeroes);
    payload_ = {};
    inbox.consume(wire::chunk_size + hole_head);
    return true;
}

bool Replies::take_error(Inbox& inbox, std::size_t slot, std::uint32_t length) {
    if (length < error_head || length > error_head + wire::text_size_max + error_tail)
        fail(slot, "an error chunk of length " + std::to_string(length));
    if (inbox.bytes().size() < wire::chunk_size + length)
        return false;
    const std::byte* const body = inbox.bytes().data() + wire::chunk_size;
    const std::size_t text_size = wire::load<std::uint16_t>(body + 4);
    if (text_size > length - error_head)
        fail(slot, "an error chunk whose text is longer than the chunk");
    const std::string text(reinterpret_cast<const char*>(body + error_head), text_size);
    fail(slot, "the server answers error " + std::to_string(wire::load<std::uint32_t>(body)) + " " +
                   text);
}

/// Checks where a payload belongs and gets ready to receive it.
void Replies::expect_payload(std::size_t slot, std::uint64_t offset, std::uint64_t length,
                             bool last) {
    const Request& request = slots_[slot].request;
    if (request.command != Command::read)
        fail(slot, "data, which was not asked for");
    const std::uint64_t skipped = offset - request.offset;
    if (offset < request.offset || length == 0 || skipped > request.length ||
        length > request.length - skipped)
        fail(slot, "data at " + std::to_string(offset) + " length " + std::to_string(length));
    const std::uint64_t received = slots_[slot].received + length;
    if (received > request.length)
        fail(slot, "more data than was asked for");
    slots_[slot].received = static_cast<std::uint32_t>(received);
    payload_ = {.slot = slot, .left = length, .to = room(slot, skipped), .last = last};
}

void Replies::finish(std::size_t slot, std::vector<std::size_t>& finished) {
    Slot& done = slots_[slot];
    if (done.request.command == Command::read && done.received != done.request.length)
        fail(slot, "only " + std::to_string(done.received) + " bytes of data");
    done.cookie = 0; // a second reply, in the same batch even, names nothing
    finished.push_back(slot);
}

std::byte* Replies::room(std::size_t slot, std::uint64_t offset) {
    return payloads_.empty() ? nullptr : payloads_.data() + slot * block_ + offset;
}

void Replies::fail(std::size_t slot, const std::string& what) const {
    const Request& request = slots_[slot].request;
    throw ProtocolError(std::string(to_string(request.command)) + " at " +
                        std::to_string(request.offset) + " length " +
                        std::to_string(request.length) + ": " + what);
}

} // namespace interposed::bench
