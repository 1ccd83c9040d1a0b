#pragma once

#include "server/export.hpp"
#include "server/negotiation.hpp"
#include "server/peer.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace interposed::server {

/// Every export of the server. Immutable but for closing; any thread may use it.
class ExportSet {
public:
    explicit ExportSet(std::vector<std::shared_ptr<const Export>> exports);

    [[nodiscard]] const std::vector<std::shared_ptr<const Export>>& all() const { return all_; }
    [[nodiscard]] std::shared_ptr<const Export> find(std::string_view name) const;

    /// No new clients from now on.
    void close() { closing_ = true; }
    [[nodiscard]] bool closing() const { return closing_; }

private:
    std::vector<std::shared_ptr<const Export>> all_; ///< in the configuration's order
    std::map<std::string, std::shared_ptr<const Export>, std::less<>> by_name_;
    std::atomic<bool> closing_{false};
};

/// What of it one peer may see. An export that it may not use does not exist for it. The empty
/// name means the only export there is, if none is called so.
class PeerCatalog final : public Catalog {
public:
    PeerCatalog(const ExportSet& exports, const Peer& peer) : exports_(exports), peer_(peer) {}

    [[nodiscard]] std::vector<std::shared_ptr<const Export>> visible() const override;
    [[nodiscard]] std::shared_ptr<const Export> find(std::string_view name) const override;
    [[nodiscard]] bool closing() const override { return exports_.closing(); }

private:
    const ExportSet& exports_;
    const Peer& peer_;
};

} // namespace interposed::server
