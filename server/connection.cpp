#include "server/connection.hpp"

#include "server/handshake.hpp"
#include "server/log.hpp"

#include <asio/bind_executor.hpp>
#include <asio/post.hpp>

namespace interposed::server {

Connection::Connection(std::uint64_t id, std::unique_ptr<Stream> stream, Peer peer, Loop& loop,
                       const ExportSet& exports)
    : name_("session " + std::to_string(id) + " (" + peer.name + ")"), peer_(std::move(peer)),
      stream_(std::move(stream)), loop_(loop), strand_(asio::make_strand(loop.context())),
      catalog_(exports, peer_), deadline_(strand_) {
    loop_.enter();
}

Connection::~Connection() {
    loop_.leave();
}

asio::awaitable<void> Connection::run() {
    std::string how = "client left";
    try {
        co_await serve();
        if (session_)
            how = session_->ending();
    } catch (const std::exception& why) {
        how = why.what();
    }
    log_end(how);
    co_await take_leave();
    stream_->close();
}

asio::awaitable<void> Connection::serve() {
    auto agreement = co_await shake_hands_in_time();
    if (!agreement || stopping_)
        co_return;
    export_name_ = agreement->chosen->name;
    session_ = std::make_unique<Session>(name_, std::move(*agreement), *stream_, loop_, strand_);
    co_await session_->run();
}

/// Closes the stream then, unless the deadline is moved or called off.
void Connection::close_in(std::chrono::seconds patience) {
    deadline_.expires_after(patience);
    auto expired = [weak = weak_from_this()](const std::error_code& cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->deadline_.expiry() > asio::steady_timer::clock_type::now())
            return;
        self->deadline_passed_ = true;
        self->stream_->close();
    };
    deadline_.async_wait(asio::bind_executor(strand_, expired));
}

asio::awaitable<std::optional<Agreement>> Connection::shake_hands_in_time() {
    const std::chrono::seconds timeout = loop_.limits().handshake_timeout;
    close_in(timeout);
    auto agreement = co_await shake_hands(*stream_, catalog_, loop_.limits().handshake_memory);
    deadline_.expires_at(asio::steady_timer::time_point::max());
    if (deadline_passed_)
        throw ProtocolError("no export chosen within " + std::to_string(timeout.count()) + " s");
    co_return agreement;
}

/// A socket that is closed while something in it is unread takes back what was sent last.
asio::awaitable<void> Connection::take_leave() {
    close_in(leave_deadline);
    co_await stream_->finish();
    deadline_.expires_at(asio::steady_timer::time_point::max());
}

void Connection::stop() {
    end(&Session::stop);
}

void Connection::abort() {
    end(&Session::abort);
}

void Connection::end_if_stalled() {
    asio::post(strand_, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->session_)
            self->session_->end_if_stalled();
    });
}

void Connection::end(void (Session::*how)()) {
    asio::post(strand_, [weak = weak_from_this(), how] {
        const auto self = weak.lock();
        if (!self)
            return;
        self->stopping_ = true;
        if (self->session_)
            ((*self->session_).*how)();
        else
            self->stream_->close();
    });
}

void Connection::log_end(std::string_view how) const {
    if (!session_) {
        log::info(name_ + ": no export chosen: " + std::string(how));
        return;
    }
    const SessionCounts& counts = session_->counts();
    log::info(name_ + ": export \"" + export_name_ + "\": " + std::to_string(counts.requests) +
              " requests, " + std::to_string(counts.errors) + " errors, " +
              std::to_string(counts.bytes_read) + " bytes read, " +
              std::to_string(counts.bytes_written) + " bytes written: " + std::string(how));
}

} // namespace interposed::server
