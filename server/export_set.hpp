#pragma once

#include "server/denials.hpp"
#include "server/export.hpp"
#include "server/live_export.hpp"
#include "server/negotiation.hpp"
#include "server/peer.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
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
    /// One that has nothing to do with the name but that it is always the same: for work that is to
    /// be done as well where there is none of that name. Null: there is none at all.
    [[nodiscard]] std::shared_ptr<LiveExport> decoy(std::string_view name) const;

    /// All at once: who looks sees both or neither. `removed` are no longer found.
    void change(const List& added, const List& removed);

    /// No new clients from now on.
    void close() { closing_ = true; }
    [[nodiscard]] bool closing() const { return closing_; }

    /// Where it is told that clients were not let in.
    [[nodiscard]] Denials& denials() const { return denials_; }

private:
    struct Names;
    [[nodiscard]] std::shared_ptr<const Names> names() const;

    mutable std::mutex mutex_;
    std::shared_ptr<const Names> names_;
    std::atomic<bool> closing_{false};
    mutable Denials denials_;
};

/// What of it one connection may see, and the place that it takes. An export that its peer may not
/// use does not exist for it: whatever is asked of such a name is answered as of one that is not
/// there, after the same work. The empty name means the only export there is for this peer, if none
/// is called so. Who may do what is found out at each question: rules and peers change. Not
/// thread-safe.
class PeerCatalog final : public Catalog {
public:
    /// `entrance` are the rules of the listener that the peer came through; null: it has none.
    PeerCatalog(const ExportSet& exports, const Peer& peer,
                std::shared_ptr<const ListenerRules> entrance = nullptr)
        : exports_(exports), peer_(peer), entrance_(std::move(entrance)) {}

    [[nodiscard]] std::vector<std::shared_ptr<const Export>> visible() const override;
    [[nodiscard]] std::shared_ptr<const Export> find(std::string_view name) const override;
    [[nodiscard]] bool may_write(const Export& one) const override {
        return access_to(one) == config::Access::read_write;
    }
    [[nodiscard]] bool closing() const override { return exports_.closing(); }
    Admission admit(const std::shared_ptr<const Export>& chosen) override;
    /// Takes a place for this host's kernel, which was promised one when it was attached: whatever
    /// else is said of the export's clients. Null: there is no such export.
    std::shared_ptr<const Export> admit_kernel(std::string_view name);

    /// What the peer may do with an export now: what the export's rules and the listener's both
    /// say. Not what is said of the export itself, which may be read-only for everybody.
    [[nodiscard]] config::Access access_to(const Export& one) const;
    /// What it may do with any of them.
    [[nodiscard]] config::Access access_by_listener() const;

    /// The place, once admit() has said yes.
    [[nodiscard]] LiveExport::Seat* seat() const { return seat_.get(); }
    /// Somebody else may have the place.
    void give_seat_back() { seat_.reset(); }

private:
    [[nodiscard]] std::shared_ptr<const Export> find_default(std::string_view name) const;

    const ExportSet& exports_;
    const Peer& peer_;
    const std::shared_ptr<const ListenerRules> entrance_;
    std::unique_ptr<LiveExport::Seat> seat_;
};

} // namespace interposed::server
