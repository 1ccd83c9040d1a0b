#pragma once

#include "bench/handshake.hpp"
#include "bench/inbox.hpp"
#include "bench/ledger.hpp"
#include "bench/outbox.hpp"
#include "bench/replies.hpp"
#include "bench/slots.hpp"
#include "bench/tally.hpp"
#include "bench/workload.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace interposed::bench {

/// One connection in its transmission phase, kept full of requests by one thread.
class Connection {
public:
    /// `payload` is what every WRITE carries, unless the run verifies; then `share` is this
    /// connection's alone.
    Connection(Socket socket, bool structured, const Plan& plan, Share share,
               std::span<const std::byte> payload);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Keeps requests in flight until `stop` is set or `quota` of them were made (0: no quota),
    /// then waits for what is left. Throws ProtocolError and system_error.
    void run(Workload& workload, std::uint64_t quota, const std::atomic<bool>& stop, Tally& tally);
    void disconnect();

    [[nodiscard]] Share share() const { return share_; }

private:
    void refill(Workload& workload, std::uint64_t requests);
    void start(Request request);
    std::span<const std::byte> payload_for(std::size_t slot);
    void exchange();
    void exchange_spinning();
    void wait_for_either();
    void finish(Tally& tally);
    void verify(std::size_t slot);
    std::span<std::byte> own_payload(std::size_t slot);

    Socket socket_;
    Share share_;
    bool spin_;
    std::uint32_t block_;
    std::span<const std::byte> payload_;
    std::unique_ptr<Ledger> ledger_;      ///< only where the run verifies
    std::vector<std::byte> own_payloads_; ///< a block for each slot, only with a ledger
    std::vector<std::byte> headers_;      ///< of the requests, by slot
    Slots slots_;
    Inbox inbox_;
    Outbox outbox_;
    Replies replies_;
    std::vector<std::size_t> finished_;
    std::uint64_t batch_sent_ns_ = 0;
};

} // namespace interposed::bench
