#include "server/connection.hpp"

#include "server/handshake.hpp"
#include "server/tls_stream.hpp"

#include <asio/bind_executor.hpp>
#include <asio/post.hpp>
#include <utility>

namespace interposed::server {

Connection::Connection(std::uint64_t id, std::unique_ptr<Stream> stream, Peer peer, Loop& loop,
                       const ExportSet& exports, std::shared_ptr<const ListenerRules> entrance)
    : id_(id), name_("session " + std::to_string(id) + " (" + peer.name + ")"),
      peer_(std::move(peer)), stream_(std::move(stream)), loop_(loop),
      strand_(asio::make_strand(loop.context())), catalog_(exports, peer_, std::move(entrance)),
      deadline_(strand_) {
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
    ended_ = true;
    if (session_ && session_->handed_over()) {
        const auto unread = session_->unread();
        if (devices::FileDescriptor fd(stream_->release()); fd)
            handed_.emplace(HandedSocket{.fd = std::move(fd), //
                                         .unread = {unread.begin(), unread.end()}});
    }
    if (session_)
        session_->let_go();
    catalog_.give_seat_back();
    log_end(how);
    if (!handed_)
        co_await take_leave();
    stream_->close();
}

asio::awaitable<void> Connection::serve() {
    std::optional<Agreement> agreement;
    if (agreed_on_)
        agreement = take_agreed_place();
    else
        agreement = co_await shake_hands_in_time();
    if (!agreement || stopping_)
        co_return;
    LiveExport::Seat& seat = *catalog_.seat();
    LiveExport::Seat::Start start = seat.begin(*this);
    if (!start.now)
        throw ProtocolError("the export has changed while it was being chosen");
    agreement->chosen = std::move(start.now); // whoever keeps it keeps its claims
    if (!agreed_on_) { // rules that change from now on find a guest of the export
        const auto access = catalog_.access_to(*agreement->chosen);
        if (access == config::Access::none)
            throw ProtocolError("may not use the export any more that it was choosing");
        agreement->read_only = agreement->read_only || access == config::Access::read_only;
    }
    read_only_ = agreement->read_only || agreement->chosen->read_only;
    if (agreement->chosen->throttle)
        agreement->client_limit =
            agreement->chosen->throttle->clients.of(peer_.client, RateLimiter::Clock::now());
    {
        const std::lock_guard lock(mutex_);
        export_name_ = agreement->chosen->name;
        session_ =
            std::make_unique<Session>(name_, log::Fields{.session = id_, .client = peer_.name},
                                      std::move(*agreement), *stream_, loop_, strand_);
    }
    if (log::enabled(log::Level::debug))
        log::debug(name_ + ": export \"" + export_name_ + "\": chosen",
                   {.session = id_, .client = peer_.name, .export_name = export_name_});
    if (start.held)
        session_->hold(nullptr);
    if (seat.at().tracing())
        tracing_ = true;
    session_->trace(tracing_);
    if (chosen_)
        chosen_(export_name_);
    session_->go_on_with(received_);
    received_ = {};
    std::exception_ptr broke;
    try {
        co_await session_->run();
    } catch (...) {
        broke = std::current_exception();
    }
    seat.end();
    if (broke)
        std::rethrow_exception(broke);
}

void Connection::hold(std::function<void()> quiet) {
    asio::post(strand_, [weak = weak_from_this(), quiet = std::move(quiet)]() mutable {
        const auto self = weak.lock();
        if (!self || !self->session_ || self->ended_)
            return;
        try {
            self->session_->hold(std::move(quiet));
        } catch (const std::exception&) { // no memory for a WRITE that has arrived in part
            self->session_->abort();
        }
    });
}

void Connection::go_on(std::shared_ptr<const Export> now, std::function<void()> went_on) {
    asio::post(strand_, [weak = weak_from_this(), now = std::move(now),
                         went_on = std::move(went_on)]() mutable {
        const auto self = weak.lock();
        if (!self || !self->session_)
            return;
        if (!self->ended_) {
            self->read_only_ = now->read_only;
            self->take_rules(*now);
            self->session_->go_on(std::move(now));
        }
        went_on();
    });
}

void Connection::apply_rules(std::function<void()> done) {
    asio::post(strand_, [weak = weak_from_this(), done = std::move(done)] {
        const auto self = weak.lock();
        if (self && !self->ended_) {
            if (self->session_)
                self->take_rules(*self->catalog_.seat()->at().now());
            else if (!self->agreed_on_ &&
                     self->catalog_.access_by_listener() == config::Access::none)
                self->stop();
        }
        done();
    });
}

/// This host's kernel has no rules. On the strand, with a session.
void Connection::take_rules(const Export& served) {
    if (agreed_on_)
        return;
    const auto access = catalog_.access_to(served);
    if (access == config::Access::none)
        turn_out();
    else if (access == config::Access::read_only)
        session_->forbid_writes();
    read_only_ = read_only_ || session_->writes_forbidden();
}

void Connection::turn_out() {
    if (std::exchange(turned_out_, true))
        return;
    log::warning(name_ + ": export \"" + export_name_ + "\": turned out: rules have changed, and "
                                                        "there is none any more for " +
                     identity_of(peer_),
                 {.session = id_, .client = peer_.name, .export_name = export_name_});
    session_->stop("rules have changed");
    close_in(turn_out_deadline);
}

void Connection::trace(bool on) {
    tracing_ = on;
    asio::post(strand_, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (self && self->session_)
            self->session_->trace(self->tracing_);
    });
}

std::uint64_t Connection::in_flight() const {
    const std::lock_guard lock(mutex_);
    return session_ ? std::uint64_t{session_->counts().in_flight} : 0;
}

Connection::Status Connection::status() const {
    const std::lock_guard lock(mutex_);
    Status now;
    now.since = since_;
    now.tls = tls_description_;
    if (!session_)
        return now;
    const SessionCounts& counts = session_->counts();
    now.export_name = export_name_;
    now.framing = session_->framing();
    now.read_only = read_only_;
    now.requests = counts.requests;
    now.errors = counts.errors;
    now.bytes_read = counts.bytes_read;
    now.bytes_written = counts.bytes_written;
    now.in_flight = counts.in_flight;
    return now;
}

/// Closes the stream then, unless the deadline is moved or called off.
void Connection::close_in(std::chrono::seconds patience) {
    deadline_.expires_after(patience);
    auto expired = [weak = weak_from_this()](const std::error_code& cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->deadline_.expiry() > asio::steady_timer::clock_type::now())
            return;
        self->deadline_passed_ = true;
        if (self->session_ && !self->ended_)
            self->session_->abort(); // which it waits for
        else
            self->stream_->close();
    };
    deadline_.async_wait(asio::bind_executor(strand_, expired));
}

asio::awaitable<std::optional<Agreement>> Connection::shake_hands_in_time() {
    const std::chrono::seconds timeout = loop_.limits().handshake_timeout.load();
    close_in(timeout);
    auto agreement = co_await shake_hands();
    deadline_.expires_at(asio::steady_timer::time_point::max());
    if (deadline_passed_)
        throw ProtocolError("no export chosen within " + std::to_string(timeout.count()) + " s");
    co_return agreement;
}

asio::awaitable<std::optional<Agreement>> Connection::shake_hands() {
    const auto flags = co_await greet(*stream_);
    if (!flags)
        co_return std::nullopt;
    for (;;) { // nothing of what was said in the clear counts once TLS is established
        Negotiation negotiation(catalog_, *flags, security_);
        const auto next = co_await haggle(*stream_, negotiation, loop_.limits().handshake_memory);
        if (next == Negotiation::Next::transmission)
            co_return Agreement{.chosen = negotiation.chosen(),
                                .framing = negotiation.framing(),
                                .contexts = negotiation.contexts(),
                                .read_only = negotiation.told_read_only()};
        if (next != Negotiation::Next::start_tls)
            co_return std::nullopt;
        co_await start_tls();
    }
}

asio::awaitable<void> Connection::start_tls() {
    auto made = std::make_unique<TlsStream>(std::move(stream_), tls_, loop_.buffers());
    TlsStream& tls = *made;
    stream_ = std::move(made);
    co_await tls.shake();
    security_ = Security::established;
    peer_.encrypted = true;
    peer_.tls = tls.identity();
    const std::lock_guard lock(mutex_);
    tls_description_ = tls.description();
}

Agreement Connection::take_agreed_place() {
    Agreement agreement;
    agreement.chosen = catalog_.admit_kernel(*agreed_on_);
    if (!agreement.chosen)
        throw ProtocolError("there is no export \"" + *agreed_on_ + "\" any more");
    return agreement;
}

/// A socket that is closed while something in it is unread takes back what was sent last.
asio::awaitable<void> Connection::take_leave() {
    close_in(leave_deadline);
    co_await stream_->finish();
    deadline_.expires_at(asio::steady_timer::time_point::max());
}

void Connection::tell_left() {
    if (left_)
        left_({.goodbye = session_ && session_->said_goodbye(), .handed = std::move(handed_)});
}

void Connection::stop() {
    end(&Session::stop);
}

void Connection::abort() {
    end(&Session::abort);
}

void Connection::end_if_lost(std::chrono::milliseconds patience) {
    asio::post(strand_, [weak = weak_from_this(), patience] {
        const auto self = weak.lock();
        if (!self || self->stream_->unanswered_for() < patience)
            return;
        if (self->session_)
            self->session_->abort();
        else
            self->stream_->close();
    });
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
    log::Fields fields{.session = id_, .client = peer_.name};
    if (!session_) {
        log::info(name_ + ": no export chosen: " + std::string(how), fields);
        return;
    }
    fields.export_name = export_name_;
    const SessionCounts& counts = session_->counts();
    log::info(name_ + ": export \"" + export_name_ + "\": " + std::to_string(counts.requests) +
                  " requests, " + std::to_string(counts.errors) + " errors, " +
                  std::to_string(counts.bytes_read) + " bytes read, " +
                  std::to_string(counts.bytes_written) + " bytes written: " + std::string(how),
              fields);
}

} // namespace interposed::server
