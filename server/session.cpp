#include "server/session.hpp"

#include "server/handshake.hpp"
#include "server/pending.hpp"

#include <algorithm>
#include <asio/bind_executor.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <bit>
#include <cassert>
#include <cstring>

namespace interposed::server {

namespace {

using protocol::Command;
using protocol::Request;

/// After so many full turns, or so many requests of one, the loop's other sessions come first.
constexpr unsigned turns_before_yield = 4;
constexpr unsigned requests_before_yield = 64;

} // namespace

Session::Session(std::string name, log::Fields fields, Agreement agreement, Stream& stream,
                 Loop& loop, Strand strand)
    : name_(std::move(name)), fields_(fields), agreement_(std::move(agreement)),
      layer_(&agreement_.chosen->layer()), stream_(stream), loop_(loop), strand_(std::move(strand)),
      changed_(strand_), inbox_(loop.buffers()), outbox_(loop.buffers()),
      memory_(loop.limits().memory, agreement_.chosen->memory.get()),
      meter_(agreement_.chosen->statistics ? &agreement_.chosen->statistics->shard(loop.index())
                                           : nullptr) {
    fields_.export_name = agreement_.chosen->name;
}

Session::~Session() {
    assert(counts_.in_flight == 0);
}

asio::awaitable<void> Session::run() {
    auto writer_ended = [this](std::exception_ptr why) {
        assert(!why); // write_replies() throws nothing
        writer_ended_ = true;
        changed_.notify_all();
    };
    asio::co_spawn(strand_, write_replies(), asio::bind_executor(strand_, writer_ended));
    std::exception_ptr broke;
    try {
        co_await read_requests();
    } catch (...) {
        broke = std::current_exception();
    }
    reading_ = false;
    co_await drain();
    // The connection may take some time yet to end.
    pipe_.reset();
    incoming_payload_.release();
    memory_.shrink_to(0);
    if (broke)
        std::rethrow_exception(broke);
}

void Session::stop(const char* why) {
    ending_ = why;
    reading_ = false;
    stream_.stop_receiving();
    changed_.notify_all();
}

void Session::abort() {
    give_up("given up by the server");
    send_replies(); // of which there are none any more
}

/// Nothing can be said to the client any more, so nothing is taken from it either.
void Session::give_up(const char* why) {
    ending_ = why;
    broken_ = true;
    reading_ = false;
    stream_.close();
    changed_.notify_all();
}

asio::awaitable<void> Session::read_requests() {
    unsigned turns = 0;
    while (reading_) {
        if (handing_over_ && between_requests())
            break;
        if (!may_serve()) {
            send_replies();
            tell_if_quiet();
            co_await changed_.wait();
            continue;
        }
        const Served served = serve_inbox();
        send_replies();
        if (served != Served::all_but_one && !may_serve())
            continue;
        if (served == Served::some) {
            turns = 0;
            co_await asio::post(strand_, asio::use_awaitable);
            continue;
        }
        if (served == Served::all_but_one) {
            while (paused_ && reading_ && !handing_over_ && must_pause(incoming_)) {
                tell_if_quiet();
                co_await wait_for_room();
            }
            memory_wait_ = first_memory_wait;
            continue;
        }
        if (!reading_)
            break;
        switch (receive_or_spin()) {
        case Received::end:
            co_return;
        case Received::nothing_yet:
            inbox_.rest();
            turns = 0;
            co_await stream_.readable();
            break;
        case Received::something:
            if (++turns % turns_before_yield == 0)
                co_await asio::post(strand_, asio::use_awaitable);
            break;
        }
    }
}

/// Waits until every request that was accepted is answered, or the client cannot be told.
asio::awaitable<void> Session::drain() {
    send_replies();
    while (counts_.in_flight > 0 || !outbox_.empty())
        co_await changed_.wait();
    finished_ = true;
    changed_.notify_all();
    while (!writer_ended_)
        co_await changed_.wait();
}

/// Only busy while the socket is full: otherwise replies are sent where they are made.
asio::awaitable<void> Session::write_replies() {
    while (!finished_) {
        if (!blocked_) {
            co_await changed_.wait();
            continue;
        }
        co_await stream_.writable();
        blocked_ = false;
        send_replies();
        changed_.notify_all();
    }
}

/// Right behind a batch the next one may be only a moment away.
Session::Received Session::receive_or_spin() {
    Received received = receive();
    if (received == Received::nothing_yet && just_replied_ && counts_.in_flight == 0 &&
        loop_.one_busy_session())
        spinner_.spin([&] {
            received = receive();
            return received != Received::nothing_yet;
        });
    just_replied_ = false;
    if (received == Received::something)
        loop_.note_turn(this);
    return received;
}

Session::Received Session::receive() {
    if (wants_pipe())
        return receive_into_pipe();
    std::array<iovec, 2> into{};
    std::size_t parts = 0;
    if (payload_left_ > 0)
        into[parts++] = {.iov_base = incoming_payload_.data() + payload_received_,
                         .iov_len = payload_left_};
    iovec& space = into[parts++] = inbox_.free_space();
    const std::size_t header = protocol::request_size(agreement_.framing);
    if (const std::size_t there = inbox_.unused().size(); expects_large_write_ && there < header)
        space.iov_len = std::min(space.iov_len, header - there);
    const Stream::Moved moved = stream_.receive(std::span(into).first(parts));
    if (moved.ended)
        return Received::end;
    if (moved.would_wait)
        return Received::nothing_yet;
    bytes_moved_ += moved.bytes;
    meter_.received(RequestMeter::Clock::now());
    const std::size_t payload = std::min(moved.bytes, payload_left_);
    inbox_.received(moved.bytes - payload);
    if (payload > 0)
        payload_arrived(payload);
    return Received::something;
}

/// Takes the complete requests that are there, as many as are one session's turn.
Session::Served Session::serve_inbox() {
    paused_ = false;
    for (unsigned taken = 0; reading_; ++taken) {
        if (taken == requests_before_yield)
            return Served::some;
        if (!take_request())
            break;
    }
    return paused_ ? Served::all_but_one : Served::all;
}

/// False: there is no complete request, or it has to wait.
bool Session::take_request() {
    const auto bytes = inbox_.unused();
    if (discard_left_ > 0) {
        const std::size_t gone = std::min(discard_left_, bytes.size());
        inbox_.use(gone);
        if (gone > 0)
            discarded(gone);
        return gone > 0;
    }
    if (streaming_)
        return write_arrived();
    const std::size_t header = protocol::request_size(agreement_.framing);
    if (bytes.size() < header || payload_left_ > 0)
        return false;
    const auto request = protocol::decode_request(agreement_.framing, bytes.data());
    if (!request)
        throw ProtocolError("request: want the magic of requests, found something else");
    const bool has_payload = protocol::has_payload(agreement_.framing, *request);
    if (has_payload && request->command == Command::block_status &&
        request->length <= protocol::StatusQuery::max_size &&
        bytes.size() < header + request->length)
        return false; // so small that it is waited for
    if (must_pause(*request)) {
        incoming_ = *request;
        paused_ = true;
        return false;
    }
    turn_.reset();
    client_turn_.reset();
    inbox_.use(header);
    expects_large_write_ = false;
    if (request->command == Command::disconnect) {
        ending_ = "client disconnected";
        goodbye_ = true;
        reading_ = false;
        return false;
    }
    ++counts_.requests;
    if (tracing_)
        trace_taken(*request);
    if (has_payload)
        take_payload(*request);
    else
        serve(*request);
    settle_memory();
    return true;
}

/// Whether the request has to wait for room. If not, the memory it may need is taken.
bool Session::must_pause(const Request& next) {
    const bool moves_data = next.command == Command::read || next.command == Command::write;
    const std::size_t bytes = moves_data ? std::min<std::uint64_t>(next.length, max_request) : 0;
    memory_short_ = false;
    turn_in_ = {};
    if (held_ || counts_.in_flight >= max_in_flight || outbox_.bytes() >= max_unsent ||
        (counts_.in_flight > 0 && bytes_in_flight_ + bytes > max_bytes_in_flight))
        return true;
    if (throttled(next, bytes))
        return true;
    if (next.command == Command::block_status) {
        if (status_in_flight_ >= max_status_in_flight)
            return true;
        bytes_expected_ = status_memory;
    } else {
        bytes_expected_ = bytes < BufferPool::smallest ? bytes : std::bit_ceil(bytes);
    }
    const std::size_t wanted = memory_in_use();
    if (wanted <= own_memory || memory_.grow_to(wanted - own_memory))
        return false;
    bytes_expected_ = 0;
    // What will only be refused needs none.
    memory_short_ = next.command == Command::block_status ||
                    check_request(next, agreement_) == protocol::WireError::none;
    return memory_short_;
}

/// Whether a rate limit says that it is not its turn yet. It is asked for a turn once.
bool Session::throttled(const Request& next, std::size_t bytes) {
    Throttle* const throttle = agreement_.chosen->throttle.get();
    if (throttle == nullptr || next.command == Command::disconnect)
        return false;
    RateLimiter& client = *agreement_.client_limit;
    if (!client_turn_ && !throttle->all.limits_anything() && !client.limits_anything())
        return false;
    const auto now = RateLimiter::Clock::now();
    const bool asked_before = client_turn_.has_value();
    if (!asked_before)
        client_turn_.emplace(client, bytes, now);
    turn_in_ = client_turn_->left(now);
    // Only what its own limit lets through stands in the way of others.
    if (turn_in_.count() == 0) {
        if (!turn_)
            turn_.emplace(throttle->all, bytes, now);
        turn_in_ = turn_->left(now);
    }
    const bool waits = turn_in_.count() > 0;
    if (waits && !asked_before && agreement_.chosen->statistics)
        ++agreement_.chosen->statistics->throttled;
    return waits;
}

std::size_t Session::memory_in_use() const {
    return bytes_in_flight_ + bytes_expected_ + outbox_.bytes_in_memory();
}

/// Gives back what is not needed any more.
void Session::settle_memory() {
    if (!streaming_ && payload_left_ == 0)
        bytes_expected_ = 0;
    if (memory_.taken() == 0)
        return;
    const std::size_t needed = memory_in_use();
    memory_.shrink_to(needed > own_memory ? needed - own_memory : 0);
    if (memory_.taken() == 0)
        watched_since_ = {};
}

asio::awaitable<void> Session::wait_for_room() {
    const bool not_its_turn = turn_in_.count() > 0;
    if (!memory_short_ && !not_its_turn) {
        co_await changed_.wait();
        co_return;
    }
    if (not_its_turn) {
        asio::steady_timer turn(strand_, turn_in_);
        std::error_code woken;
        co_await turn.async_wait(asio::redirect_error(asio::use_awaitable, woken));
        co_return;
    }
    // Others give memory back on other threads: rare enough to look again, instead of being told.
    asio::steady_timer timer(strand_, memory_wait_);
    memory_wait_ = std::min(2 * memory_wait_, longest_memory_wait);
    std::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

void Session::end_if_stalled() {
    const bool its_turn = blocked_ || (!held_ && (streaming_ || payload_left_ > 0));
    if (memory_.taken() == 0 || !its_turn) {
        watched_since_ = {};
        return;
    }
    const auto now = std::chrono::steady_clock::now();
    const bool watched = watched_since_ != std::chrono::steady_clock::time_point{};
    if (watched && now - watched_since_ < stalled_after)
        return;
    if (watched && bytes_moved_ - bytes_moved_at_watch_ < least_moved) {
        give_up("stood still while others waited for its memory");
        return;
    }
    watched_since_ = now;
    bytes_moved_at_watch_ = bytes_moved_;
}

} // namespace interposed::server
