#pragma once

#include "server/export.hpp"
#include "server/live_export.hpp"
#include "server/negotiation.hpp"
#include "server/peer.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

namespace interposed::server {

/// Every export of the server. Thread-safe: while one thread changes it, others look things up in
/// what it was.
class ExportSet {
public:
    using List = std::vector<std::shared_ptr<LiveExport>>;

    /// In the configuration's order.
    explicit ExportSet(std::vector<std::shared_ptr<const Export>> exports);
    ~ExportSet();

    [[nodiscard]] List all() const;
    /// Null: no such export.
    [[nodiscard]] std::shared_ptr<LiveExport> find(std::string_view name) const;

    /// All at once: who looks sees both or neither. `removed` are no longer found.
    void change(const List& added, const List& removed);

    /// No new clients from now on.
    void close() { closing_ = true; }
    [[nodiscard]] bool closing() const { return closing_; }

private:
    struct Names;
    [[nodiscard]] std::shared_ptr<const Names> names() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const Names> names_;
    std::atomic<bool> closing_{false};
};

/// What of it one connection may see, and the place that it takes. An export that its peer may not
/// use does not exist for it. The empty name means the only export there is, if none is called so.
/// Not thread-safe.
class PeerCatalog final : public Catalog {
public:
    PeerCatalog(const ExportSet& exports, const Peer& peer) : exports_(exports), peer_(peer) {}

    [[nodiscard]] std::vector<std::shared_ptr<const Export>> visible() const override;
    [[nodiscard]] std::shared_ptr<const Export> find(std::string_view name) const override;
    [[nodiscard]] bool closing() const override { return exports_.closing(); }
    Admission admit(const std::shared_ptr<const Export>& chosen) override;
    /// Takes a place for this host's kernel, which was promised one when it was attached: whatever
    /// else is said of the export's clients. Null: there is no such export.
    std::shared_ptr<const Export> admit_kernel(std::string_view name);

    /// The place, once admit() has said yes.
    [[nodiscard]] LiveExport::Seat* seat() const { return seat_.get(); }
    /// Somebody else may have the place.
    void give_seat_back() { seat_.reset(); }

private:
    [[nodiscard]] bool peer_may_see(const Export& one) const;

    const ExportSet& exports_;
    const Peer& peer_;
    std::unique_ptr<LiveExport::Seat> seat_;
};

} // namespace interposed::server
