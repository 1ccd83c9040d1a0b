#pragma once

#include "devices/operation.hpp"
#include "protocol/transmission.hpp"
#include "server/event.hpp"
#include "server/inbox.hpp"
#include "server/log.hpp"
#include "server/loop.hpp"
#include "server/outbox.hpp"
#include "server/pipe.hpp"
#include "server/request_check.hpp"
#include "server/request_meter.hpp"
#include "server/spinner.hpp"
#include "server/stream.hpp"

#include <asio/awaitable.hpp>
#include <asio/strand.hpp>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::server {

/// What a session has done. Any thread may read it.
struct SessionCounts {
    Published requests;
    Published errors; ///< requests answered with an error
    Published bytes_read;
    Published bytes_written;
    Published in_flight; ///< accepted, and not yet sent or dropped; but for those of a moment
};

/// The transmission phase of one connection: takes requests in batches, answers at once what
/// needs no waiting, gives the rest to the export's layer, and sends replies as they are ready.
///
/// Everything runs on one strand; only completions come from other threads, and are posted.
/// Every request that was accepted is answered exactly once, unless the client has gone.
class Session {
public:
    using Strand = asio::strand<asio::io_context::executor_type>;

    static constexpr std::size_t max_in_flight = 256;
    static constexpr std::size_t max_bytes_in_flight = std::size_t{64} << 20;
    /// Requests and unread replies up to this size are every client's own; what is above comes
    /// from the memory that all share, and is waited for.
    static constexpr std::size_t own_memory = std::size_t{512} << 10;
    /// What a BLOCK_STATUS may take until it is answered.
    static constexpr std::size_t status_memory = std::size_t{512} << 10;
    /// Replies to those can be large as well: so many of them are begun at a time.
    static constexpr unsigned max_status_in_flight = 4;
    /// A client that moves less than that much in that time stands still.
    static constexpr std::chrono::seconds stalled_after{30};
    static constexpr std::uint64_t least_moved = std::uint64_t{1} << 20;
    static constexpr std::chrono::milliseconds first_memory_wait{5};
    static constexpr std::chrono::milliseconds longest_memory_wait{100};
    /// Replies that wait for the client to read them; no more requests are taken beyond that.
    static constexpr std::size_t max_unsent = std::size_t{1} << 20;
    /// Reads up to this size are put together with their headers.
    static constexpr std::size_t max_inline_read = std::size_t{128} << 10;
    /// Reads from this size on go from the page cache to the socket without a copy of ours, where
    /// all of them is in it: then only a device that loses pages meanwhile can fail behind the
    /// header, and the connection with it. Sent in steps.
    static constexpr std::size_t min_direct_read = std::size_t{64} << 10;
    /// Writes from this size on are written as they arrive, in steps that stay in the core's cache,
    /// where that needs no waiting. A client that leaves in the middle leaves part of its write.
    static constexpr std::size_t min_streamed_write = std::size_t{128} << 10;
    static constexpr std::size_t streamed_step = std::size_t{128} << 10;
    /// If so much of them is still to come, it goes through a pipe.
    static constexpr std::size_t min_piped = std::size_t{64} << 10;
    static constexpr std::uint64_t streamed_alignment = 4096; ///< no page is written in two parts
    /// Looking pages up costs, and the socket may take less.
    static constexpr std::size_t direct_step = std::size_t{1} << 20;
    /// Pages that were in the page cache are taken to be there for so long.
    static constexpr std::chrono::milliseconds seen_for{2};
    /// Reads from this size on are looked through for holes, if the client can be told of them and
    /// there may be some; what lies in more runs than that is sent as it is.
    static constexpr std::size_t min_sparse_read = std::size_t{64} << 10;
    static constexpr std::size_t max_read_runs = 64;
    /// What one CACHE request brings into the page cache at most: it is a hint, and memory is
    /// everybody's.
    static constexpr std::uint64_t max_cached = std::uint64_t{32} << 20;
    /// Replies are sent in groups of so many while the rest of a batch is still being served, so
    /// that the client can work on them meanwhile; but only where a core is idle for it: with
    /// several busy sessions, whole batches cost less.
    static constexpr unsigned replies_per_send = 8;

    /// The name and the fields begin its lines in the log. What the fields refer to outlives it.
    Session(std::string name, log::Fields fields, Agreement agreement, Stream& stream, Loop& loop,
            Strand strand);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    /// Serves until the client leaves or stop() is called and all is answered. Then nothing refers
    /// to *this any more. Throws ProtocolError after the same clean end. On the strand.
    asio::awaitable<void> run();

    /// Takes no more requests; run() ends when those that were taken are answered. `why` is for the
    /// log. On the strand.
    void stop() { stop("server is stopping"); }
    void stop(const char* why);
    /// Gives the client up; what is in the kernel is still waited for. On the strand.
    void abort();

    /// Takes no more requests until go_on(), as Guest::hold() says; nor sends what has to be
    /// fetched from the layer. On the strand.
    void hold(std::function<void()> quiet);
    /// Serves the export as it is now. On the strand.
    void go_on(std::shared_ptr<const Export> now);

    /// From now on the client may only read; a WRITE of which a part has arrived is finished. On
    /// the strand.
    void forbid_writes() { agreement_.read_only = true; }
    [[nodiscard]] bool writes_forbidden() const { return agreement_.read_only; }

    /// Logs each request that is taken and each that is answered, or does not. On the strand.
    void trace(bool on) { tracing_ = on; }

    /// Stops between two requests, as stop() does, but takes nothing of the stream that it would
    /// not answer: somebody else goes on with it. On the strand.
    void hand_over();
    /// After run(): that has come to pass, and this is what was received of the next request.
    [[nodiscard]] bool handed_over() const {
        return handing_over_ && between_requests() && !broken_;
    }
    [[nodiscard]] std::span<const std::byte> unread() const { return inbox_.unused(); }
    /// Before run(): what somebody else has received of the first request.
    void go_on_with(std::span<const std::byte> received);

    /// After run(): the export may be closed. What was counted is still there.
    void let_go();

    /// Called from time to time while others want memory. Gives the client up if it holds some and
    /// stands still although it is its turn. On the strand.
    void end_if_stalled();

    [[nodiscard]] const SessionCounts& counts() const { return counts_; }
    [[nodiscard]] protocol::Framing framing() const { return agreement_.framing; }
    /// The client has said that it leaves.
    [[nodiscard]] bool said_goodbye() const { return goodbye_; }
    /// How it ended, for the log.
    [[nodiscard]] const char* ending() const { return ending_; }

private:
    struct Pending;
    enum class Received : std::uint8_t { something, nothing_yet, end };
    enum class Served : std::uint8_t {
        all,
        some,        ///< it is the turn of others now
        all_but_one, ///< which has to wait until there is room
    };

    // session.cpp: the life of a session, and what arrives
    asio::awaitable<void> read_requests();
    asio::awaitable<void> write_replies();
    asio::awaitable<void> drain();
    void give_up(const char* why);
    Received receive();
    Received receive_or_spin();
    Served serve_inbox();
    bool take_request();
    bool must_pause(const protocol::Request& next);
    bool throttled(const protocol::Request& next, std::size_t bytes);
    asio::awaitable<void> wait_for_room();
    [[nodiscard]] std::size_t memory_in_use() const;
    void settle_memory();

    // session_hold.cpp: how it pauses
    [[nodiscard]] bool half_written() const;
    [[nodiscard]] bool between_requests() const {
        return payload_left_ == 0 && !streaming_ && discard_left_ == 0 && !goodbye_;
    }
    [[nodiscard]] bool may_serve() const { return !held_ || half_written(); }
    void tell_if_quiet();

    // session_payload.cpp: what follows a request
    void take_payload(const protocol::Request& request);
    void take_write(const protocol::Request& request);
    void discard_payload(const protocol::Request& request, protocol::WireError why);
    void discarded(std::size_t bytes);
    void payload_arrived(std::size_t bytes);
    void collect_payload();
    bool write_arrived();
    [[nodiscard]] std::size_t writable_now(std::size_t there, std::size_t at_least) const;
    void wrote(int error, std::size_t bytes, std::size_t still_to_discard);
    bool wants_pipe();
    Received receive_into_pipe();
    void write_piped(std::size_t length);
    void collect_piped();

    // session_requests.cpp: what is done about a request
    void serve(const protocol::Request& request);
    void serve_read(const protocol::Request& request);
    bool serve_mapped_read(const protocol::Request& request);
    bool serve_direct_read(const protocol::Request& request);
    bool serve_sparse_read(const protocol::Request& request);
    void fetch(mapping::Extent extent);
    void serve_write(const protocol::Request& request, std::size_t done, std::byte* payload,
                     Buffer buffer);
    void serve_write_zeroes(const protocol::Request& request);
    void serve_status(protocol::Request request, std::span<const std::byte> payload);
    Pending& begin(const protocol::Request& request, devices::OpKind kind);
    void lend(Pending& pending, Buffer buffer);
    void submit(Pending& pending);
    void answer_or_submit(Pending& pending);
    void start(Pending& pending);
    void completed(Pending& pending);
    void answer_completed();
    void release(Pending& pending);

    // session_replies.cpp: how it is answered
    void answer(Pending& pending);
    void answer_read(Pending& pending);
    void answer_sparse_read(Pending& pending);
    void answer_status(Pending& pending);
    void reply_done(const protocol::Request& request);
    void reply_refused(const protocol::Request& request, protocol::WireError error);
    void reply_failed(const protocol::Request& request, int error, std::uint64_t progress);
    void reply_error(const protocol::Request& request, protocol::WireError error, ErrorKind kind,
                     std::string_view text, std::optional<std::uint64_t> offset);
    [[nodiscard]] protocol::ChunkOf chunk_of(const protocol::Request& request,
                                             bool last = true) const;
    void send_chunk(const protocol::Bytes& chunk);
    void trace_taken(const protocol::Request& request) const;
    void trace_answered(const protocol::Request& request) const;
    [[nodiscard]] std::uint32_t status_block() const;
    [[nodiscard]] std::size_t read_header_size() const;
    void encode_read_header(std::byte* out, const protocol::Request& request) const;
    void answer_fetched(Pending& pending);
    void replied(const protocol::Request& request, std::uint64_t bytes);
    void send_replies();
    Stream::Moved send_some(bool may_be_mapped);
    Stream::Moved send_extent(mapping::Extent extent);

    const std::string name_;
    log::Fields fields_;
    Agreement agreement_;
    devices::Layer* layer_; ///< of the chosen export
    Stream& stream_;
    Loop& loop_;
    Strand strand_;
    Event changed_;

    Inbox inbox_;
    Outbox outbox_;
    protocol::Request incoming_; ///< the WRITE whose payload is arriving
    Buffer incoming_payload_;
    std::size_t payload_received_ = 0; ///< bytes
    std::size_t payload_left_ = 0;     ///< bytes still to come
    bool streaming_ = false;           ///< it is written as it arrives
    std::size_t streamed_ = 0;         ///< bytes of it that are written
    std::optional<Pipe> pipe_;         ///< what arrives of it goes through this
    std::size_t piped_ = 0;            ///< bytes in the pipe
    bool splice_failed_ = false;       ///< though there was something, the last time
    bool expects_large_write_ = false; ///< so did the request before come to be
    /// A request whose payload is not wanted. It is answered when that is gone: some clients take
    /// an answer to what they have not sent in full for somebody else's.
    struct Unwanted {
        protocol::Request request;
        protocol::WireError refused = protocol::WireError::none; ///< or else:
        int error = 0;
        std::uint64_t progress = 0; ///< bytes before the error
    };
    Unwanted unwanted_;
    std::size_t discard_left_ = 0; ///< bytes of its payload still to come

    bool reading_ = true;
    bool broken_ = false;  ///< nothing can be sent any more
    bool blocked_ = false; ///< the socket is full; write_replies() waits for it
    bool finished_ = false;
    bool goodbye_ = false;
    bool handing_over_ = false;
    bool writer_ended_ = false;
    bool held_ = false;           ///< nothing may be begun in the layer
    std::function<void()> quiet_; ///< who wants to know when nothing is in the layer
    std::size_t in_layer_ = 0;    ///< operations that were submitted and are not finished
    bool paused_ = false;         ///< a request waits in the inbox until others are answered
    unsigned unsent_replies_ = 0;
    bool just_replied_ = false;
    std::chrono::steady_clock::time_point extents_seen_{}; ///< when the oldest unsent was looked up
    bool fetching_ = false; ///< the first part of the outbox is being read
    Spinner spinner_;

    std::vector<std::unique_ptr<Pending>> pending_; ///< all there are, in use or free
    std::vector<Pending*> free_;
    std::size_t bytes_in_flight_ = 0;
    std::size_t bytes_expected_ = 0; ///< for the request that is being taken
    MemoryShare memory_;
    /// Of the next request, in the order of the export's rate limit and the client's.
    std::optional<Turn> turn_;
    std::optional<Turn> client_turn_;
    std::chrono::nanoseconds turn_in_{}; ///< for so long it is not its turn; zero: it is
    bool memory_short_ = false;          ///< it is memory of all that the next request waits for
    std::chrono::milliseconds memory_wait_ = first_memory_wait;
    unsigned status_in_flight_ = 0;
    std::uint64_t bytes_moved_ = 0; ///< from and to the client
    std::uint64_t bytes_moved_at_watch_ = 0;
    std::chrono::steady_clock::time_point watched_since_{}; ///< zero: it is not watched
    std::atomic<Pending*> completed_{nullptr}; ///< finished on some thread, not yet answered

    bool tracing_ = false;
    SessionCounts counts_;
    RequestMeter meter_;
    /// Since when the request that is being answered was waited for; zero: since the last batch.
    RequestMeter::Clock::time_point waited_since_{};
    const char* ending_ = "client closed the connection";
};

} // namespace interposed::server
