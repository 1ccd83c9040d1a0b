#include "bench/connection.hpp"

#include "bench/clock.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <poll.h>
#include <string>
#include <system_error>

namespace interposed::bench {

Connection::Connection(Socket socket, bool structured, const Plan& plan, Share share,
                       std::span<const std::byte> payload)
    : socket_(std::move(socket)), share_(share), spin_(plan.spin), block_(plan.block),
      payload_(payload), ledger_(plan.verify ? std::make_unique<Ledger>(share, block_) : nullptr),
      own_payloads_(plan.verify ? std::size_t{plan.depth} * block_ : 0),
      headers_(plan.depth * wire::request_size), slots_(plan.depth), outbox_(2 * plan.depth),
      replies_(slots_, structured, own_payloads_, block_) {
    finished_.reserve(plan.depth);
}

void Connection::run(Workload& workload, std::uint64_t quota, const std::atomic<bool>& stop,
                     Tally& tally) {
    std::uint64_t left = quota > 0 ? quota : std::numeric_limits<std::uint64_t>::max();
    while (true) {
        if (stop.load(std::memory_order_relaxed))
            left = 0;
        const std::uint64_t more =
            std::min<std::uint64_t>(left, slots_.depth() - slots_.in_flight());
        refill(workload, more);
        left -= more;
        if (slots_.in_flight() == 0)
            return;
        exchange();
        replies_.take(inbox_, finished_);
        finish(tally);
    }
}

/// As many new requests as replies have come in: they leave together, in one call.
void Connection::refill(Workload& workload, std::uint64_t requests) {
    if (requests == 0)
        return;
    batch_sent_ns_ = now_ns();
    for (std::uint64_t made = 0; made < requests; ++made)
        start(workload.next());
}

void Connection::start(Request request) {
    const bool has_block = request.command != Command::flush;
    if (ledger_ && has_block)
        request.offset = ledger_->claim(request.offset);
    const std::size_t slot = slots_.take();
    slots_[slot].request = request;
    slots_[slot].sent_ns = batch_sent_ns_;
    std::byte* const header = headers_.data() + slot * wire::request_size;
    encode(header, request, slots_[slot].cookie);
    outbox_.add({header, wire::request_size});
    if (request.command == Command::write)
        outbox_.add(payload_for(slot));
}

std::span<const std::byte> Connection::payload_for(std::size_t slot) {
    if (!ledger_)
        return payload_;
    ledger_->stamp(own_payload(slot), slots_[slot].request.offset);
    return own_payload(slot);
}

std::span<std::byte> Connection::own_payload(std::size_t slot) {
    return std::span(own_payloads_).subspan(slot * block_, block_);
}

/// Sends what can be sent and receives what is there, at least something of the two.
void Connection::exchange() {
    if (spin_)
        return exchange_spinning();
    if (outbox_.send(socket_, false)) {
        inbox_.receive(socket_, true);
        return;
    }
    // A server that is stuck in sending its replies reads no requests: never wait for only one.
    wait_for_either();
    inbox_.receive(socket_, false);
}

void Connection::exchange_spinning() {
    constexpr unsigned looks_per_clock = 1024;
    const std::uint64_t deadline = now_ns() + nanoseconds(socket_.limit());
    for (unsigned looks = 1;; ++looks) {
        outbox_.send(socket_, false);
        if (inbox_.receive(socket_, false) > 0)
            return;
        if (looks % looks_per_clock == 0 && now_ns() > deadline)
            throw ProtocolError("no answer from the server for " +
                                std::to_string(socket_.limit().count()) + " s");
    }
}

void Connection::wait_for_either() {
    pollfd either{.fd = socket_.fd(), .events = POLLIN | POLLOUT, .revents = 0};
    const int ready = ::poll(&either, 1, static_cast<int>(socket_.limit().count() * 1000));
    if (ready < 0 && errno != EINTR)
        throw std::system_error(errno, std::generic_category(), "poll");
    if (ready == 0)
        throw ProtocolError("the server takes no requests for " +
                            std::to_string(socket_.limit().count()) + " s");
}

void Connection::finish(Tally& tally) {
    if (finished_.empty())
        return;
    const std::uint64_t now = now_ns();
    for (const std::size_t slot : finished_) {
        if (ledger_)
            verify(slot);
        tally.count(slots_[slot].request, now - slots_[slot].sent_ns);
        slots_.free(slot);
    }
    finished_.clear();
}

void Connection::verify(std::size_t slot) {
    const Request& request = slots_[slot].request;
    if (request.command == Command::flush)
        return;
    if (request.command == Command::write)
        ledger_->written(request.offset);
    else
        ledger_->check(own_payload(slot), request.offset);
    ledger_->release(request.offset);
}

void Connection::disconnect() {
    std::byte* const header = headers_.data();
    encode(header, {.command = Command::disconnect}, 0);
    outbox_.add({header, wire::request_size});
    outbox_.send(socket_, true);
}

} // namespace interposed::bench
