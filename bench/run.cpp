#include "bench/run.hpp"

#include "bench/clock.hpp"
#include "bench/connection.hpp"
#include "bench/cpu.hpp"
#include "bench/crew.hpp"
#include "bench/peer.hpp"
#include "bench/text.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <stdexcept>
#include <sys/resource.h>

namespace interposed::bench {

namespace {

Pattern one_pass(unsigned read_percent) {
    Pattern pattern;
    pattern.random = false;
    pattern.read_percent = read_percent;
    return pattern;
}

/// Bytes no server can take for a hole or compress.
std::vector<std::byte> make_payload(std::size_t size, std::uint64_t seed) {
    std::vector<std::byte> payload(size);
    std::uint64_t word = seed * 2 + 1;
    for (std::byte& byte : payload) {
        word = word * 6364136223846793005 + 1442695040888963407;
        byte = static_cast<std::byte>(word >> 56);
    }
    return payload;
}

void allow_many_descriptors() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

void require_flag(const Export& found, std::uint16_t flag, bool wanted, const char* what) {
    if (wanted && (found.flags & flag) == 0)
        throw ProtocolError(std::string("the export does not offer ") + what);
}

void check_export(const Export& found, const Plan& plan) {
    if (plan.writes() && (found.flags & wire::flag_read_only) != 0)
        throw ProtocolError("the export is read-only");
    require_flag(found, wire::flag_send_flush, plan.pattern.flush_every > 0, "FLUSH");
    require_flag(found, wire::flag_send_fua, plan.pattern.fua_percent > 0, "FUA");
    if (plan.block > found.maximum_payload || plan.block % std::max(1u, found.minimum_block) != 0)
        throw ProtocolError("the export takes requests of " + size_text(found.minimum_block) +
                            " to " + size_text(found.maximum_payload) + ", not of " +
                            size_text(plan.block));
}

/// Connections that work on one part each where they must not meet, else on all of the region.
Share share_of(const Plan& plan, std::uint64_t export_size, unsigned which) {
    const std::uint64_t usable =
        plan.region == 0 ? export_size : std::min(plan.region, export_size);
    const std::uint64_t blocks = usable / plan.block;
    Share share{.first_block = 0, .blocks = blocks};
    if (!plan.pattern.random || plan.verify) {
        share.first_block = blocks * which / plan.connections;
        share.blocks = blocks * (which + 1) / plan.connections - share.first_block;
    }
    if (share.blocks == 0 || (plan.verify && share.blocks < plan.depth))
        throw std::invalid_argument("export of " + size_text(export_size) +
                                    ": too small for these connections, depth and block size");
    return share;
}

std::uint64_t part_of(std::uint64_t total, unsigned parts, unsigned which) {
    return total / parts + (which < total % parts ? 1 : 0);
}

/// Opens what the plan wants and takes it through its stages.
class Run {
public:
    explicit Run(const Plan& plan)
        : plan_(plan), payload_(make_payload(plan.block, plan.seed)), pids_(plan.server_pids) {}

    Result perform() {
        allow_many_descriptors();
        connect();
        if (plan_.verify)
            pass_over_share(one_pass(0));
        if (plan_.warmup_s > 0)
            load(plan_.warmup_s, 0, plan_.seed + 1'000'000);
        Result result = measure();
        if (plan_.verify)
            pass_over_share(one_pass(100));
        for (Connection& connection : connections_)
            connection.disconnect();
        return result;
    }

private:
    void connect() {
        if (!plan_.server) {
            peer_.emplace(plan_.connections, plan_.copy_over_tcp, plan_.block, plan_.limit);
            pids_.push_back(peer_->pid());
        }
        for (unsigned which = 0; which < plan_.connections; ++which)
            connect_one(which);
        for (unsigned which = 0; which < plan_.idle; ++which) {
            idle_.push_back(Socket::connect(*plan_.server, plan_.limit));
            negotiate(idle_.back(), plan_.export_name, plan_.structured, plan_.tls_folder);
        }
    }

    void connect_one(unsigned which) {
        Export found{.size = Peer::size};
        Socket socket = peer_ ? peer_->take(which) : Socket::connect(*plan_.server, plan_.limit);
        if (!peer_) {
            found = negotiate(socket, plan_.export_name, plan_.structured, plan_.tls_folder);
            check_export(found, plan_);
        }
        connections_.emplace_back(std::move(socket), plan_.structured, plan_,
                                  share_of(plan_, found.size, which), payload_);
    }

    /// Once over everything, for the start and the end of a run that verifies.
    void pass_over_share(const Pattern& pattern) {
        Crew crew;
        for (Connection& connection : connections_)
            crew.add([&, workload = Workload(pattern, plan_.block, connection.share(), plan_.seed)](
                         const std::atomic<bool>& stop) mutable {
                Tally ignored;
                connection.run(workload, connection.share().blocks, stop, ignored);
            });
        crew.wait();
    }

    /// The plan's own workload, until the time is over or the requests are made.
    Tally load(double seconds, std::uint64_t requests, std::uint64_t seed) {
        std::vector<Tally> tallies(connections_.size());
        Crew crew;
        for (unsigned which = 0; which < connections_.size(); ++which) {
            const std::uint64_t quota = part_of(requests, plan_.connections, which);
            if (requests > 0 && quota == 0)
                continue;
            Connection& connection = connections_[which];
            crew.add([&, quota, which,
                      workload = Workload(plan_.pattern, plan_.block, connection.share(),
                                          seed + which)](const std::atomic<bool>& stop) mutable {
                connection.run(workload, quota, stop, tallies[which]);
            });
        }
        if (requests == 0)
            crew.stop_after(std::chrono::duration<double>(seconds));
        crew.wait();
        Tally sum;
        for (const Tally& tally : tallies)
            sum.add(tally);
        return sum;
    }

    Result measure() {
        const std::uint64_t server_before = pids_.empty() ? 0 : cpu_ns_of(pids_);
        const std::uint64_t client_before = own_cpu_ns();
        const std::uint64_t begin = now_ns();
        Result result;
        result.tally = load(plan_.seconds, plan_.requests, plan_.seed);
        result.seconds = static_cast<double>(now_ns() - begin) / 1e9;
        result.client_cpu_ns = own_cpu_ns() - client_before;
        if (!pids_.empty())
            result.server_cpu_ns = cpu_ns_of(pids_) - server_before;
        return result;
    }

    const Plan& plan_;
    std::vector<std::byte> payload_;
    std::vector<pid_t> pids_;
    std::optional<Peer> peer_;
    std::deque<Connection> connections_; ///< they never move
    std::vector<Socket> idle_;
};

} // namespace

Result run(const Plan& plan) {
    return Run(plan).perform();
}

} // namespace interposed::bench
