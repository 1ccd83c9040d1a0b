#include "devices/counters.hpp"
#include "server/pending.hpp"
#include "server/status_runs.hpp"

#include <algorithm>
#include <asio/post.hpp>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>

namespace interposed::server {

using devices::Operation;
using devices::OpKind;
using protocol::Command;
using protocol::Request;
using protocol::WireError;

namespace {

/// Room for so many runs of a block status is kept for the next.
constexpr std::size_t kept_runs = 1024;

} // namespace

void Session::serve(const Request& request) {
    // Its payload may say what it is about.
    const bool later = request.command == Command::block_status;
    const WireError refused = later ? WireError::none : check_request(request, agreement_);
    if (refused != WireError::none) {
        reply_refused(request, refused);
        return;
    }
    switch (request.command) {
    case Command::read:
        serve_read(request);
        return;
    case Command::flush:
        submit(begin(request, OpKind::flush));
        return;
    case Command::trim:
        submit(begin(request, OpKind::trim));
        return;
    case Command::write_zeroes:
        serve_write_zeroes(request);
        return;
    case Command::block_status:
        serve_status(request, {});
        return;
    case Command::cache: {
        Pending& pending = begin(request, OpKind::cache);
        pending.extent.length = std::min(pending.extent.length, max_cached);
        submit(pending);
        return;
    }
    default:
        assert(false); // check_request() lets nothing else through, write has its own way
    }
}

void Session::serve_read(const Request& request) {
    counts_.bytes_read += request.length;
    if (request.length >= min_sparse_read && serve_sparse_read(request))
        return;
    if (request.length >= min_direct_read && serve_direct_read(request))
        return;
    if (request.length < min_direct_read && serve_mapped_read(request))
        return;
    if (request.length <= max_inline_read && request.length > 0) {
        const std::size_t header = read_header_size();
        std::byte* room = outbox_.reserve(header + request.length);
        Operation now{.kind = OpKind::read,
                      .extent = {request.offset, request.length},
                      .data = room + header};
        if (layer_->try_now(loop_.engine(), now)) {
            if (now.error != 0) {
                reply_failed(request, now.error, now.progress);
                return;
            }
            encode_read_header(room, request);
            outbox_.commit(header + request.length);
            replied(request, request.length);
            return;
        }
    }
    Buffer buffer;
    if (request.length > 0)
        buffer = loop_.buffers().take(request.length);
    Pending& later = begin(request, OpKind::read);
    lend(later, std::move(buffer));
    if (request.length > max_inline_read)
        answer_or_submit(later);
    else
        submit(later);
}

/// Where it lies in the page cache is looked for once more when the reply is sent.
bool Session::serve_mapped_read(const Request& request) {
    if (!stream_.can_send_mapped() || request.length == 0 || !loop_.engine().may_block())
        return false;
    const auto there =
        layer_->mapped_extent({request.offset, request.length}, meter_.received_at());
    if (!there || there->length < request.length) // few cross a border
        return false;
    if (there->counters != nullptr)
        there->counters->count_cached(request.length);
    encode_read_header(outbox_.reserve(read_header_size()), request);
    outbox_.commit(read_header_size());
    outbox_.add(mapping::Extent{request.offset, request.length});
    replied(request, request.length);
    return true;
}

/// Only where all of it is in the page cache: so an error is found before the reply begins.
bool Session::serve_direct_read(const Request& request) {
    if (!stream_.can_send_file())
        return false;
    for (std::uint64_t done = 0; done < request.length;) {
        const auto there =
            layer_->direct_extent({request.offset + done, request.length - done}, false);
        if (!there)
            return false;
        done += there->length;
    }
    if (outbox_.empty())
        extents_seen_ = std::chrono::steady_clock::now();
    encode_read_header(outbox_.reserve(read_header_size()), request);
    outbox_.commit(read_header_size());
    outbox_.add(mapping::Extent{request.offset, request.length});
    replied(request, request.length);
    return true;
}

/// Tells of holes instead of sending zeroes, where finding them needs no waiting. The layer is
/// asked after the request has arrived: so no write that was answered before is missed.
bool Session::serve_sparse_read(const Request& request) {
    if (agreement_.framing == protocol::Framing::simple ||
        request.has(protocol::command_flag::df) || !layer_->may_have_holes())
        return false;
    std::vector<devices::StatusRun> runs;
    Operation status{
        .kind = OpKind::block_status, .extent = {request.offset, request.length}, .status = &runs};
    if (!layer_->try_now(loop_.engine(), status) || status.error != 0)
        return false;
    runs = whole_block_runs(runs, request.offset, request.offset + request.length, status_block(),
                            devices::StatusRun::zero);
    std::uint64_t told = 0;
    std::uint64_t zeroes = 0;
    for (const devices::StatusRun& run : runs) {
        told += run.length;
        zeroes += run.flags != 0 ? run.length : 0;
    }
    if (told != request.length || zeroes == 0 || runs.size() > max_read_runs)
        return false;
    Buffer buffer;
    if (zeroes < told)
        buffer = loop_.buffers().take(request.length);
    Pending& later = begin(request, OpKind::read);
    later.runs = std::move(runs);
    if (zeroes == told) {
        answer(later);
        return true;
    }
    lend(later, std::move(buffer));
    answer_or_submit(later);
    return true;
}

/// Pages that were in the cache when the reply began are not any more.
void Session::fetch(mapping::Extent extent) {
    const auto length = std::min<std::uint64_t>(extent.length, max_inline_read);
    Buffer buffer = loop_.buffers().take(length);
    fetching_ = true;
    Pending& later =
        begin({.command = Command::read, .offset = extent.offset, .length = length}, OpKind::read);
    later.fetches = true;
    lend(later, std::move(buffer));
    answer_or_submit(later);
}

/// `payload` is what follows the first `done` bytes, which are written already. It lies in
/// `buffer`, or in the inbox if there is none.
void Session::serve_write(const Request& request, std::size_t done, std::byte* payload,
                          Buffer buffer) {
    counts_.bytes_written += request.length;
    const mapping::Extent extent{request.offset + done, request.length - done};
    Operation now{.kind = OpKind::write,
                  .fua = request.has(protocol::command_flag::fua),
                  .extent = extent,
                  .data = payload};
    if (extent.length > 0 && layer_->try_now(loop_.engine(), now)) {
        if (now.error == 0)
            reply_done(request);
        else
            reply_failed(request, now.error, done + now.progress);
        return;
    }
    if (!buffer && extent.length > 0) {
        buffer = loop_.buffers().take(extent.length);
        std::memcpy(buffer.data(), payload, extent.length);
    }
    Pending& later = begin(request, OpKind::write);
    lend(later, std::move(buffer));
    later.extent = extent;
    later.done_before = done;
    submit(later);
}

/// Where only some of the range could be zeroed fast, none of it is touched.
void Session::serve_write_zeroes(const Request& request) {
    const bool no_hole = request.has(protocol::command_flag::no_hole);
    if (request.has(protocol::command_flag::fast_zero) && request.length > 0 &&
        !layer_->zeroes_fast({request.offset, request.length}, no_hole))
        reply_failed(request, EOPNOTSUPP, 0);
    else
        submit(begin(request, OpKind::write_zeroes));
}

/// `payload` is what an extended request may carry: which contexts it is about, and its length.
void Session::serve_status(Request request, std::span<const std::byte> payload) {
    std::optional<ContextSet> contexts = agreement_.contexts;
    if (has_payload(agreement_.framing, request)) {
        const auto query = protocol::decode_status_query(payload);
        contexts = query ? queried_contexts(*query, agreement_.contexts) : std::nullopt;
        request.length = query ? query->length : 0;
    }
    const WireError refused = contexts ? check_request(request, agreement_) : WireError::einval;
    if (refused != WireError::none) {
        reply_refused(request, refused);
        return;
    }
    Pending& pending = begin(request, OpKind::block_status);
    pending.contexts = *contexts;
    pending.charge = status_memory;
    bytes_in_flight_ += pending.charge;
    ++status_in_flight_;
    if (contexts->has(Context::allocation))
        submit(pending);
    else
        answer(pending);
}

Session::Pending& Session::begin(const Request& request, OpKind kind) {
    if (free_.empty())
        free_.push_back(pending_.emplace_back(std::make_unique<Pending>(*this)).get());
    Pending& pending = *free_.back();
    free_.pop_back();
    const bool changes =
        kind == OpKind::write || kind == OpKind::trim || kind == OpKind::write_zeroes;
    Operation& operation = pending;
    operation = {.kind = kind,
                 .fua = changes && request.has(protocol::command_flag::fua), // legal on all
                 .no_hole = request.has(protocol::command_flag::no_hole),
                 .fast = request.has(protocol::command_flag::fast_zero),
                 .extent = {request.offset, request.length},
                 .status = &pending.runs,
                 .done = [](Operation& done) {
                     auto& finished = static_cast<Pending&>(done);
                     finished.session.completed(finished);
                 }};
    pending.request = request;
    pending.received_at = meter_.received_at();
    pending.fetches = false;
    pending.done_before = 0;
    pending.runs.clear();
    ++counts_.in_flight;
    return pending;
}

/// The buffer is taken before begin(): who fails to get one has begun nothing.
void Session::lend(Pending& pending, Buffer buffer) {
    pending.buffer = std::move(buffer);
    pending.data = pending.buffer.data();
    bytes_in_flight_ += pending.buffer.size();
}

void Session::submit(Pending& pending) {
    if (pending.kind != OpKind::flush && pending.extent.length == 0) {
        answer(pending); // nothing to do, and no layer need know of such requests
        return;
    }
    start(pending);
}

void Session::answer_or_submit(Pending& pending) {
    if (layer_->try_now(loop_.engine(), pending))
        answer(pending);
    else
        submit(pending);
}

/// A layer that cannot get the memory it needs has begun nothing.
void Session::start(Pending& pending) {
    ++in_layer_;
    try {
        layer_->submit(loop_.engine(), pending);
    } catch (const std::bad_alloc&) {
        pending.complete(ENOMEM);
    }
    loop_.engine().flush();
}

void Session::release(Pending& pending) {
    --counts_.in_flight;
    bytes_in_flight_ -= pending.buffer.size() + pending.charge;
    status_in_flight_ -= pending.charge > 0 ? 1 : 0;
    pending.charge = 0;
    pending.buffer.release();
    settle_memory();
    if (pending.runs.capacity() > kept_runs)
        std::vector<devices::StatusRun>().swap(pending.runs); // assigning {} keeps the memory
    free_.push_back(&pending);
}

/// From any thread. Whoever puts the first one on the list sees to it that the list is looked at;
/// until then that one is in flight, and keeps the session alive.
void Session::completed(Pending& pending) {
    Pending* first = completed_.load(std::memory_order_relaxed);
    do {
        pending.next = first;
    } while (!completed_.compare_exchange_weak(first, &pending, std::memory_order_release,
                                               std::memory_order_relaxed));
    if (first == nullptr)
        asio::post(strand_, [this] { answer_completed(); });
}

void Session::answer_completed() {
    Operation* newest = completed_.exchange(nullptr, std::memory_order_acquire);
    Operation* oldest = nullptr;
    while (newest != nullptr) {
        Operation* older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    while (oldest != nullptr) {
        auto& pending = static_cast<Pending&>(*oldest);
        oldest = oldest->next;
        --in_layer_;
        waited_since_ = pending.received_at;
        answer(pending);
    }
    waited_since_ = {};
    send_replies();
    tell_if_quiet();
    changed_.notify_all();
}

} // namespace interposed::server
