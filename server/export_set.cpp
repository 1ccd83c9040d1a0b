#include "server/export_set.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace interposed::server {

using config::Access;

struct ExportSet::Names {
    List all;
    std::map<std::string, std::shared_ptr<LiveExport>, std::less<>> by_name;

    explicit Names(List list) : all(std::move(list)) {
        for (const auto& each : all)
            by_name.emplace(each->now()->name, each);
    }
};

ExportSet::ExportSet(std::vector<std::shared_ptr<const Export>> exports) {
    List list;
    for (auto& each : exports)
        list.push_back(std::make_shared<LiveExport>(std::move(each)));
    names_ = std::make_shared<Names>(std::move(list));
}

ExportSet::~ExportSet() = default;

std::shared_ptr<const ExportSet::Names> ExportSet::names() const {
    const std::lock_guard lock(mutex_);
    return names_;
}

ExportSet::List ExportSet::all() const {
    return names()->all;
}

std::shared_ptr<LiveExport> ExportSet::find(std::string_view name) const {
    const auto names = this->names();
    const auto found = names->by_name.find(name);
    return found == names->by_name.end() ? nullptr : found->second;
}

std::shared_ptr<LiveExport> ExportSet::decoy(std::string_view name) const {
    const auto names = this->names();
    const std::size_t count = names->all.size();
    return count == 0 ? nullptr : names->all[std::hash<std::string_view>()(name) % count];
}

void ExportSet::change(const List& added, const List& removed) {
    List list = all();
    std::erase_if(list, [&removed](const auto& each) {
        return std::find(removed.begin(), removed.end(), each) != removed.end();
    });
    list.insert(list.end(), added.begin(), added.end());
    auto changed = std::make_shared<Names>(std::move(list));
    const std::lock_guard lock(mutex_);
    names_ = std::move(changed);
}

std::vector<std::shared_ptr<const Export>> PeerCatalog::visible() const {
    std::vector<std::shared_ptr<const Export>> seen;
    for (const auto& each : exports_.all()) {
        auto now = each->now();
        if (access_to(*now) != Access::none)
            seen.push_back(std::move(now));
    }
    return seen;
}

std::shared_ptr<const Export> PeerCatalog::find(std::string_view name) const {
    if (const auto found = exports_.find(name)) {
        auto now = found->now();
        if (access_to(*now) != Access::none)
            return now;
        if (auto only = find_default(name))
            return only;
        exports_.denials().no_export(peer_, name, now->access.get());
        return nullptr;
    }
    if (const auto decoy = exports_.decoy(name))
        (void)access_to(*decoy->now());
    if (auto only = find_default(name))
        return only;
    exports_.denials().no_export(peer_, name, nullptr);
    return nullptr;
}

/// It depends on nothing that this peer may not see.
std::shared_ptr<const Export> PeerCatalog::find_default(std::string_view name) const {
    if (!name.empty())
        return nullptr;
    auto seen = visible();
    return seen.size() == 1 ? std::move(seen.front()) : nullptr;
}

Access PeerCatalog::access_by_listener() const {
    return entrance_ ? access_by(entrance_->now(), peer_) : Access::read_write;
}

Access PeerCatalog::access_to(const Export& one) const {
    const config::Export* const source = one.definition ? &one.definition->source : nullptr;
    const bool hidden =
        source != nullptr && (source->kernel_only || (source->requires_tls && !peer_.encrypted));
    const Access access = std::min(access_by_listener(), access_by(one.access, peer_));
    return hidden ? Access::none : access;
}

std::shared_ptr<const Export> PeerCatalog::admit_kernel(std::string_view name) {
    const auto live = exports_.find(name);
    if (!live)
        return nullptr;
    auto now = live->now();
    seat_ = live->admit(Terms::of(*now), LiveExport::Entitled::yes).seat;
    return now;
}

Admission PeerCatalog::admit(const std::shared_ptr<const Export>& chosen) {
    const auto live = exports_.find(chosen->name);
    if (!live)
        return Admission::draining; // removed this very moment
    auto admitted = live->admit(Terms::of(*chosen));
    seat_ = std::move(admitted.seat);
    return admitted.answer;
}

} // namespace interposed::server
