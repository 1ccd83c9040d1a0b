#pragma once

#include "config/config.hpp"
#include "protocol/transmission.hpp"
#include "server/access.hpp"
#include "server/memory_budget.hpp"
#include "server/rate_limiter.hpp"
#include "server/resolve.hpp"
#include "server/table_layer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace interposed::devices {
class Device;
}

namespace interposed::server {

class ExportStatistics;

/// Whether a client that has chosen an export may use it now.
enum class Admission : std::uint8_t {
    yes,
    full,     ///< it has as many connections as it may have
    draining, ///< it takes no new ones
};

/// What an export was made from.
struct Definition {
    config::Export source;
    ResolvedExport resolved; ///< of the source above

    explicit Definition(const ResolvedExport& from);
    Definition(const Definition&) = delete;
    Definition& operator=(const Definition&) = delete;
};

/// Tells whoever wants to know that an export is closed: that the claims only it used are dropped.
/// Thread-safe.
class Farewell {
public:
    /// `then` is called, on any thread, when it is closed, or at once if it is.
    void wait(std::function<void()> then);
    void closed();

private:
    std::mutex mutex_;
    bool closed_ = false;
    std::vector<std::function<void()>> waiting_;
};

/// How fast the clients of an export may be. Thread-safe.
struct Throttle {
    RateLimiter all;
    ClientLimiters clients;

    explicit Throttle(const config::Qos& qos) : all(qos.all), clients(qos.per_client) {}
    void set(const config::Qos& qos) {
        all.set(qos.all);
        clients.set(qos.per_client);
    }
};

/// What a client picks by name: a layer and how it is served. Immutable; any thread may use it.
/// Where it changes (LiveExport) there is another one, which shares what has to stay.
struct Export {
    std::string name;
    std::string description;
    bool read_only = false;
    AccessPointer access;                         ///< null: everybody may do everything
    std::optional<std::uint32_t> max_connections; ///< absent: only the server's limits
    std::shared_ptr<const Definition> definition; ///< null in tests that need none
    std::uint64_t generation = 1;                 ///< how many tables it has had
    std::shared_ptr<TableLayer> table;
    /// What its clients may take of the memory of all: one that is stuck leaves some to the others.
    std::shared_ptr<MemoryBudget> memory;
    std::shared_ptr<Throttle> throttle;                   ///< null: nothing is limited
    std::shared_ptr<ExportStatistics> statistics;         ///< null: nothing is counted
    std::vector<std::shared_ptr<devices::Device>> opened; ///< what the table's layers are
    std::shared_ptr<Farewell> farewell;                   ///< null in tests
    std::vector<std::string> devices; ///< by Segment::device: for the log, never for a client

    [[nodiscard]] std::uint64_t size() const { return table->size(); }
    [[nodiscard]] devices::Layer& layer() const { return *table; }

    /// The transmission flags to advertise (proto.md, "Transmission flags") to a client that may
    /// write as far as it depends on the client.
    [[nodiscard]] std::uint16_t flags(protocol::Framing framing, bool has_contexts,
                                      bool client_may_write) const;
};

/// The largest request with a payload that is served, bytes.
inline constexpr std::uint32_t max_request = 1U << 25;

} // namespace interposed::server
