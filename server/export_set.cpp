#include "server/export_set.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace interposed::server {

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
        if (peer_may_see(*now))
            seen.push_back(std::move(now));
    }
    return seen;
}

std::shared_ptr<const Export> PeerCatalog::find(std::string_view name) const {
    auto found = exports_.find(name);
    if (!found && name.empty()) {
        if (const auto all = exports_.all(); all.size() == 1)
            found = all.front();
    }
    auto now = found ? found->now() : nullptr;
    return now && peer_may_see(*now) ? now : nullptr;
}

bool PeerCatalog::peer_may_see(const Export& one) const {
    const config::Export* const source = one.definition ? &one.definition->source : nullptr;
    const bool hidden =
        source != nullptr && (source->kernel_only || (source->requires_tls && !peer_.encrypted));
    return !hidden && peer_.allowed_by(one.allow);
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
