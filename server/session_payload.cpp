#include "server/handshake.hpp"
#include "server/pending.hpp"

#include <algorithm>
#include <cstring>
#include <unistd.h>
#include <utility>

// What follows a request on the wire. Large WRITEs are written as they arrive: from the inbox, or
// better, through a pipe, which refers to the socket's pages instead of copying them.
namespace interposed::server {

using protocol::Command;
using protocol::Request;

/// A payload is taken off the wire whatever becomes of the request.
void Session::take_payload(const Request& request) {
    // The length of a compact WRITE has 32 bits, and is borne with; this one has 64.
    if (agreement_.framing == protocol::Framing::extended && request.length > max_request)
        throw ProtocolError("request: want a payload of at most " + std::to_string(max_request) +
                            " bytes, found " + std::to_string(request.length));
    if (request.command == Command::write) {
        take_write(request);
    } else if (request.command == Command::block_status &&
               request.length <= protocol::StatusQuery::max_size) {
        const auto payload = inbox_.unused().first(request.length);
        inbox_.use(request.length); // its memory stays for now
        serve_status(request, payload);
    } else {
        discard_payload(request, protocol::WireError::einval);
    }
}

void Session::discard_payload(const Request& request, protocol::WireError why) {
    unwanted_ = {.request = request, .refused = why};
    discard_left_ = request.length;
    discarded(0);
}

/// So many more bytes of it are gone.
void Session::discarded(std::size_t bytes) {
    discard_left_ -= bytes;
    if (discard_left_ > 0)
        return;
    if (unwanted_.error != 0)
        reply_failed(unwanted_.request, unwanted_.error, unwanted_.progress);
    else
        reply_refused(unwanted_.request, unwanted_.refused);
}

void Session::take_write(const Request& request) {
    if (const auto refused = check_request(request, agreement_);
        refused != protocol::WireError::none) {
        discard_payload(request, refused);
        return;
    }
    const auto behind = inbox_.unused();
    if (behind.size() >= request.length) {
        inbox_.use(request.length);
        // The operation only reads it.
        serve_write(request, 0, const_cast<std::byte*>(behind.data()), {});
        return;
    }
    incoming_ = request;
    streamed_ = 0;
    streaming_ = request.length >= min_streamed_write && !request.has(protocol::command_flag::fua);
    if (!streaming_)
        collect_payload();
}

/// The rest of the payload goes to a buffer of its own, beginning with what is there.
void Session::collect_payload() {
    const auto behind = inbox_.unused();
    const std::size_t rest = incoming_.length - streamed_;
    payload_received_ = std::min(behind.size(), rest);
    payload_left_ = rest - payload_received_;
    incoming_payload_ = loop_.buffers().take(rest);
    std::copy_n(behind.begin(), payload_received_, incoming_payload_.data());
    inbox_.use(payload_received_);
    if (payload_left_ == 0)
        payload_arrived(0);
}

void Session::payload_arrived(std::size_t bytes) {
    payload_received_ += bytes;
    payload_left_ -= bytes;
    if (payload_left_ == 0) {
        std::byte* payload = incoming_payload_.data();
        serve_write(incoming_, streamed_, payload, std::move(incoming_payload_));
    }
}

/// Writes what has arrived of a large WRITE. False: more must arrive first.
bool Session::write_arrived() {
    const auto bytes = inbox_.unused();
    const std::size_t length = writable_now(bytes.size(), streamed_step);
    if (length == 0)
        return false;
    devices::Operation now{.kind = devices::OpKind::write,
                           .extent = {incoming_.offset + streamed_, length},
                           .data = const_cast<std::byte*>(bytes.data())};
    if (!layer_->try_now(loop_.engine(), now)) {
        streaming_ = false;
        collect_payload();
        return true;
    }
    inbox_.use(length);
    wrote(now.error, now.error == 0 ? length : now.progress, incoming_.length - streamed_ - length);
    return true;
}

/// How much of `there` bytes behind what is written can be written now: whole pages, at least
/// `at_least` bytes, or all to the end of the payload. 0: nothing yet.
std::size_t Session::writable_now(std::size_t there, std::size_t at_least) const {
    const std::size_t left = incoming_.length - streamed_;
    if (there >= left)
        return left;
    const std::uint64_t at = incoming_.offset + streamed_;
    const std::uint64_t end = (at + there) / streamed_alignment * streamed_alignment;
    return end < at + at_least ? 0 : end - at;
}

/// `bytes` more of a large WRITE are written, or failed behind them: then `still_to_discard` bytes
/// of it have not left the inbox or the socket.
void Session::wrote(int error, std::size_t bytes, std::size_t still_to_discard) {
    streamed_ += bytes;
    if (error != 0) {
        streaming_ = false;
        unwanted_ = {.request = incoming_, .error = error, .progress = streamed_};
        discard_left_ = still_to_discard;
        discarded(0);
    } else if (streamed_ == incoming_.length) {
        streaming_ = false;
        counts_.bytes_written += incoming_.length;
        reply_done(incoming_);
    }
}

// ---- through a pipe ----

/// Whether what comes next may go through the pipe: once it was begun it goes on to the end.
bool Session::wants_pipe() {
    if (pipe_)
        return true; // there is something in it
    if (!streaming_ || !stream_.can_splice() || !layer_->takes_pipes())
        return false;
    const std::size_t behind = inbox_.unused().size();
    if (incoming_.length - streamed_ - behind < min_piped)
        return false;
    if (behind > Pipe::least_capacity / 2)
        return false;
    pipe_ = loop_.pipes().take();
    if (!pipe_)
        return false;
    const ssize_t put = behind > 0 ? ::write(pipe_->in(), inbox_.unused().data(), behind) : 0;
    if (put < 0 || static_cast<std::size_t>(put) < behind) {
        pipe_.reset(); // with what may be in it: the inbox still has all
        return false;
    }
    inbox_.use(behind);
    piped_ = behind;
    return true;
}

Session::Received Session::receive_into_pipe() {
    const std::size_t to_come = incoming_.length - streamed_ - piped_;
    const Stream::Moved moved =
        stream_.splice(pipe_->in(), std::min(to_come, pipe_->capacity() - piped_));
    if (moved.ended)
        return Received::end;
    piped_ += moved.bytes;
    bytes_moved_ += moved.bytes;
    if (moved.bytes > 0)
        splice_failed_ = false;
    const std::size_t step = std::min(streamed_step, pipe_->capacity() / 2);
    const std::size_t length = writable_now(piped_, step);
    if (length > 0) {
        write_piped(length);
        return Received::something;
    }
    if (!moved.would_wait)
        return Received::something;
    if (!stream_.has_received())
        return Received::nothing_yet;
    // Something has come meanwhile; or the pipe is full of crumbs, or there is an end or an urgent
    // byte, which splice does not get past. Then it must be received the other way.
    if (std::exchange(splice_failed_, true))
        collect_piped();
    return Received::something;
}

void Session::write_piped(std::size_t length) {
    devices::Operation now{.kind = devices::OpKind::write,
                           .extent = {incoming_.offset + streamed_, length},
                           .pipe = pipe_->out()};
    const bool done = layer_->try_now(loop_.engine(), now);
    piped_ -= now.progress;
    if (!done) {
        streamed_ += now.progress;
        collect_piped();
        return;
    }
    wrote(now.error, now.progress, incoming_.length - streamed_ - now.progress - piped_);
    if (streaming_)
        return;
    if (now.error == 0)
        loop_.pipes().give_back(std::move(*pipe_));
    pipe_.reset();
    expects_large_write_ = now.error == 0;
}

/// It cannot be written as it arrives after all.
void Session::collect_piped() {
    const std::size_t rest = incoming_.length - streamed_;
    incoming_payload_ = loop_.buffers().take(rest);
    payload_received_ = 0;
    while (payload_received_ < piped_) {
        const ssize_t got = ::read(pipe_->out(), incoming_payload_.data() + payload_received_,
                                   piped_ - payload_received_);
        if (got <= 0)
            throw ProtocolError("a pipe lost what was in it");
        payload_received_ += static_cast<std::size_t>(got);
    }
    payload_left_ = rest - payload_received_;
    loop_.pipes().give_back(std::move(*pipe_));
    pipe_.reset();
    piped_ = 0;
    streaming_ = false;
    if (payload_left_ == 0)
        payload_arrived(0);
}

} // namespace interposed::server
