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

asio::awaitable<std::optional<Agreement>> Connection::shake_hands_in_time() {
    deadline_.expires_after(handshake_deadline);
    auto expired = [this](const std::error_code& cancelled) {
        if (cancelled || session_)
            return;
        deadline_passed_ = true;
        stream_->close();
    };
    deadline_.async_wait(asio::bind_executor(strand_, expired));
    auto agreement = co_await shake_hands(*stream_, catalog_);
    deadline_.cancel();
    if (deadline_passed_)
        throw ProtocolError("no export chosen within " +
                            std::to_string(handshake_deadline.count()) + " s");
    co_return agreement;
}

void Connection::stop() {
    asio::post(strand_, [this] {
        stopping_ = true;
        if (session_)
            session_->stop();
        else
            stream_->close();
    });
}

void Connection::abort() {
    asio::post(strand_, [this] {
        stopping_ = true;
        if (session_)
            session_->abort();
        else
            stream_->close();
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
