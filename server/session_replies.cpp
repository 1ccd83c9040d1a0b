#include "devices/counters.hpp"
#include "server/mapped_parts.hpp"
#include "server/pending.hpp"
#include "server/status_runs.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace interposed::server {

namespace {

using devices::OpKind;
using devices::StatusRun;
using protocol::Framing;
using protocol::Request;
using protocol::WireError;

/// Parts of one sendmsg().
constexpr std::size_t parts_per_send = 128;

std::string reason(int error) {
    return std::generic_category().message(error);
}

const char* verb(const Request& request) {
    switch (request.command) {
    case protocol::Command::read:
        return "read";
    case protocol::Command::write:
        return "write";
    case protocol::Command::flush:
        return "flush";
    case protocol::Command::trim:
        return "trim";
    case protocol::Command::write_zeroes:
        return "write zeroes";
    case protocol::Command::cache:
        return "cache";
    default:
        return "block status";
    }
}

ErrorKind kind_of_error(int error) {
    return error == ENOSPC || error == EDQUOT ? ErrorKind::no_space : ErrorKind::io;
}

std::uint64_t bytes_moved_by(const Request& request) {
    const bool moves_data =
        request.command == protocol::Command::read || request.command == protocol::Command::write;
    return moves_data ? request.length : 0;
}

std::string_view refusal(WireError error) {
    switch (error) {
    case WireError::eperm:
        return "the export is read-only";
    case WireError::enospc:
        return "beyond the end of the export";
    default:
        return "invalid request";
    }
}

/// An answer may tell of no more than the beginning: so much fits into one block of the outbox.
constexpr std::size_t max_descriptors = 15 * 1024;
static_assert(status_chunk_size(protocol::Framing::extended, max_descriptors) <=
              Outbox::block_size);

/// No more than one if `only_one`.
std::vector<protocol::StatusDescriptor> describe(const StatusRuns& runs, bool only_one) {
    std::vector<protocol::StatusDescriptor> out;
    for (const StatusRun& run : runs) {
        if (out.size() == (only_one ? 1 : max_descriptors))
            break;
        out.push_back({run.length, run.flags});
    }
    return out;
}

} // namespace

void Session::answer(Pending& pending) {
    if (pending.fetches) {
        answer_fetched(pending);
        return;
    }
    if (pending.error != 0) {
        reply_failed(pending.request, pending.error, pending.done_before + pending.progress);
        release(pending);
        return;
    }
    switch (pending.kind) {
    case OpKind::read:
        answer_read(pending);
        return;
    case OpKind::block_status:
        answer_status(pending);
        return;
    default:
        reply_done(pending.request);
        release(pending);
    }
}

void Session::answer_read(Pending& pending) {
    if (!pending.runs.empty()) {
        answer_sparse_read(pending);
        return;
    }
    const std::size_t length = pending.request.length;
    if (length == 0) {
        // A data chunk may not be empty; a simple reply without data looks like any other.
        reply_done(pending.request);
        release(pending);
        return;
    }
    encode_read_header(pending.header.data(), pending.request);
    outbox_.add(std::span(pending.header).first(read_header_size()), nullptr);
    outbox_.add({pending.buffer.data(), length}, &pending);
    replied(pending.request, bytes_moved_by(pending.request));
}

/// Data and zeroes by turns; the last data give the buffer back.
void Session::answer_sparse_read(Pending& pending) {
    const auto is_data = [](const StatusRun& run) { return run.flags == 0; };
    const auto data = std::count_if(pending.runs.begin(), pending.runs.end(), is_data);
    auto data_left = data;
    auto left = pending.runs.size();
    std::uint64_t at = 0;
    for (const StatusRun& run : pending.runs) {
        const protocol::ChunkOf of = chunk_of(pending.request, --left == 0);
        const std::uint64_t offset = pending.request.offset + at;
        const auto length = static_cast<std::uint32_t>(run.length); // of a READ: they are short
        if (is_data(run)) {
            encode_data_chunk(outbox_.reserve(read_header_size()), of, offset, length);
            outbox_.commit(read_header_size());
            outbox_.add({pending.buffer.data() + at, length},
                        --data_left == 0 ? &pending : nullptr);
        } else {
            protocol::Bytes chunk;
            append_hole_chunk(chunk, of, offset, length);
            send_chunk(chunk);
        }
        at += run.length;
    }
    replied(pending.request, bytes_moved_by(pending.request));
    if (data == 0)
        release(pending);
}

/// The reply has begun: all that is left to say after an error is nothing.
void Session::answer_fetched(Pending& pending) {
    fetching_ = false;
    if (pending.error != 0) {
        log::error(name_ + ": closed within a reply: read at " +
                       std::to_string(pending.request.offset) + " length " +
                       std::to_string(pending.request.length) + ": " + reason(pending.error),
                   fields_);
        give_up("a reply could not be finished");
    }
    if (broken_)
        release(pending);
    else
        outbox_.fill_front({pending.buffer.data(), pending.request.length}, &pending);
}

/// A chunk for each context, all of the same range.
void Session::answer_status(Pending& pending) {
    const Request& request = pending.request;
    const bool with_allocation = pending.contexts.has(Context::allocation);
    const bool with_depth = pending.contexts.has(Context::allocation_depth);
    std::uint64_t covered = with_allocation ? 0 : request.length;
    if (with_allocation) {
        const auto runs =
            describe(whole_block_runs(pending.runs, request.offset, request.offset + request.length,
                                      status_block(), StatusRun::hole | StatusRun::zero),
                     request.has(protocol::command_flag::req_one));
        for (const protocol::StatusDescriptor& run : runs)
            covered += run.length;
        if (covered == 0) {
            reply_failed(request, EIO, 0);
            release(pending);
            return;
        }
        protocol::Bytes chunk;
        append_status_chunk(chunk, chunk_of(request, !with_depth), context_id(Context::allocation),
                            runs);
        send_chunk(chunk);
    }
    if (with_depth) {
        const protocol::StatusDescriptor one{.length = covered, .flags = 1};
        protocol::Bytes chunk;
        append_status_chunk(chunk, chunk_of(request), context_id(Context::allocation_depth),
                            std::span(&one, 1));
        send_chunk(chunk);
    }
    replied(request, bytes_moved_by(request));
    release(pending);
}

void Session::reply_done(const Request& request) {
    // With structured replies a READ is answered with chunks, even an empty one; all else may be
    // answered with the shorter simple reply.
    const bool chunk =
        agreement_.framing == Framing::extended ||
        (agreement_.framing == Framing::structured && request.command == protocol::Command::read);
    if (chunk) {
        const std::size_t size = protocol::chunk_header_size(agreement_.framing);
        encode_chunk_header(outbox_.reserve(size), chunk_of(request), protocol::Chunk::none, 0);
        outbox_.commit(size);
    } else {
        protocol::encode_simple_reply(outbox_.reserve(protocol::simple_reply_size), request.cookie,
                                      WireError::none);
        outbox_.commit(protocol::simple_reply_size);
    }
    replied(request, bytes_moved_by(request));
}

/// A request that was not even tried.
void Session::reply_refused(const Request& request, WireError error) {
    if (log::enabled(log::Level::debug))
        log::debug(name_ + ": export \"" + agreement_.chosen->name + "\": " + verb(request) +
                       " at " + std::to_string(request.offset) + " length " +
                       std::to_string(request.length) + ": refused: " + std::string(refusal(error)),
                   fields_);
    reply_error(request, error, ErrorKind::refused, refusal(error), std::nullopt);
}

/// A request that failed below. The client is told the segment and the offset, the log the path.
void Session::reply_failed(const Request& request, int error, std::uint64_t progress) {
    if (error == EOPNOTSUPP && request.has(protocol::command_flag::fast_zero)) {
        // Not a failure: the client wants to know before it does it another way.
        reply_error(request, WireError::enotsup, ErrorKind::other,
                    "no fast way to write zeroes here", std::nullopt);
        return;
    }
    const Export& served = *agreement_.chosen;
    const bool has_place = request.command != protocol::Command::flush && request.length > 0;
    std::string where;
    std::optional<std::uint64_t> offset;
    if (has_place) {
        offset = request.offset + std::min<std::uint64_t>(progress, request.length - 1);
        const mapping::Table& table = served.table->table();
        const std::size_t index = table.segment_at(*offset);
        where = "segment " + std::to_string(index);
        const std::string& device = served.devices[table.segments()[index].device];
        log::Fields fields = fields_;
        fields.device = device;
        log::error(name_ + ": export \"" + served.name + "\": " + verb(request) + " at " +
                       std::to_string(request.offset) + " length " +
                       std::to_string(request.length) + ": at " + std::to_string(*offset) + " in " +
                       where + " on \"" + device + "\": " + reason(error),
                   fields);
    } else {
        where = verb(request);
        log::error(name_ + ": export \"" + served.name + "\": " + where + ": " + reason(error),
                   fields_);
    }
    reply_error(request, protocol::to_wire(error), kind_of_error(error),
                where + ": " + reason(error), offset);
}

void Session::reply_error(const Request& request, WireError error, ErrorKind kind,
                          std::string_view text, std::optional<std::uint64_t> offset) {
    ++counts_.errors;
    meter_.failed(kind_of(request.command), kind);
    if (agreement_.framing == Framing::simple) {
        protocol::encode_simple_reply(outbox_.reserve(protocol::simple_reply_size), request.cookie,
                                      error);
        outbox_.commit(protocol::simple_reply_size);
    } else {
        protocol::Bytes chunk;
        append_error_chunk(chunk, chunk_of(request), error, text, offset);
        send_chunk(chunk);
    }
    replied(request, 0);
}

protocol::ChunkOf Session::chunk_of(const Request& request, bool last) const {
    return {.framing = agreement_.framing,
            .cookie = request.cookie,
            .request_offset = request.offset,
            .last = last};
}

void Session::send_chunk(const protocol::Bytes& chunk) {
    std::copy(chunk.begin(), chunk.end(), outbox_.reserve(chunk.size()));
    outbox_.commit(chunk.size());
}

std::uint32_t Session::status_block() const {
    return std::max(status_sector, layer_->limits().minimum_block);
}

std::size_t Session::read_header_size() const {
    return agreement_.framing == Framing::simple ? protocol::simple_reply_size
                                                 : protocol::data_chunk_size(agreement_.framing);
}

void Session::encode_read_header(std::byte* out, const Request& request) const {
    if (agreement_.framing != Framing::simple)
        encode_data_chunk(out, chunk_of(request), request.offset,
                          static_cast<std::uint32_t>(request.length));
    else
        protocol::encode_simple_reply(out, request.cookie, WireError::none);
}

/// `bytes` were read or written for it.
void Session::replied(const Request& request, std::uint64_t bytes) {
    if (tracing_)
        trace_answered(request);
    if (waited_since_ == RequestMeter::Clock::time_point{})
        meter_.answered(kind_of(request.command), bytes);
    else
        meter_.answered(kind_of(request.command), bytes, waited_since_);
    if (++unsent_replies_ >= replies_per_send && loop_.one_busy_session())
        send_replies();
}

void Session::trace_taken(const Request& request) const {
    log::info(name_ + ": trace: cookie " + std::to_string(request.cookie) + " " + verb(request) +
                  " at " + std::to_string(request.offset) + " length " +
                  std::to_string(request.length) + " flags " + std::to_string(request.flags),
              fields_);
}

void Session::trace_answered(const Request& request) const {
    const auto since =
        waited_since_ == RequestMeter::Clock::time_point{} ? meter_.received_at() : waited_since_;
    const auto took =
        std::chrono::duration_cast<std::chrono::microseconds>(RequestMeter::Clock::now() - since);
    log::info(name_ + ": trace: cookie " + std::to_string(request.cookie) + " answered after " +
                  std::to_string(took.count()) + " us",
              fields_);
}

void Session::send_replies() {
    unsent_replies_ = 0;
    bool may_be_mapped = true;
    while (!outbox_.empty() && !blocked_ && !fetching_) {
        if (broken_) {
            outbox_.drop();
            return;
        }
        if (held_ && outbox_.front_extent())
            break;
        const Stream::Moved moved = send_some(may_be_mapped);
        may_be_mapped = !moved.faulted;
        if (moved.ended)
            give_up("client is gone");
        else if (moved.would_wait) {
            blocked_ = true;
            changed_.notify_all();
        }
        outbox_.consume(moved.bytes);
        bytes_moved_ += moved.bytes;
        just_replied_ = true;
    }
    if (meter_.has_unsent())
        meter_.sent(RequestMeter::Clock::now());
    settle_memory();
}

Stream::Moved Session::send_some(bool may_be_mapped) {
    std::array<iovec, parts_per_send> parts;
    may_be_mapped =
        may_be_mapped && !held_ && stream_.can_send_mapped() && loop_.engine().may_block();
    MappedParts mapped(may_be_mapped ? layer_ : nullptr);
    const auto [count, more] =
        outbox_.gather(parts, [&](mapping::Extent extent) -> std::span<const std::byte> {
            if (extent.length >= min_direct_read)
                return {}; // goes without any copy
            return mapped.find(extent);
        });
    if (count == 0)
        return send_extent(*outbox_.front_extent());
    Stream::Moved moved = stream_.send(std::span(parts).first(count), more);
    if (moved.faulted && mapped.any()) {
        moved.ended = false;
        mapped.faulted();
    }
    return moved;
}

Stream::Moved Session::send_extent(mapping::Extent extent) {
    if (extent.length < min_direct_read) {
        fetch(extent);
        return {};
    }
    const auto now = devices::Turn::Clock::now();
    const auto there =
        layer_->direct_extent({extent.offset, std::min<std::uint64_t>(extent.length, direct_step)},
                              now - extents_seen_ < seen_for);
    if (!there || !loop_.engine().may_block()) {
        fetch(extent);
        return {};
    }
    // The page cache may lose a page this very moment.
    const devices::BlockingCall marked(now);
    const Stream::Moved moved = stream_.send_file(there->fd, there->offset, there->length);
    if (moved.bytes > 0 && there->counters != nullptr)
        there->counters->count_cached(moved.bytes);
    if (!moved.ended)
        return moved;
    fetch(extent); // which finds out whether the client is gone or the bytes are, and says so
    return {};
}

} // namespace interposed::server
