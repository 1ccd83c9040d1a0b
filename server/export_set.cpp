#include "server/export_set.hpp"

#include <algorithm>
#include <iterator>

namespace interposed::server {

ExportSet::ExportSet(std::vector<std::shared_ptr<const Export>> exports)
    : all_(std::move(exports)) {
    for (const auto& each : all_)
        by_name_.emplace(each->name, each);
}

std::shared_ptr<const Export> ExportSet::find(std::string_view name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const Export>> PeerCatalog::visible() const {
    std::vector<std::shared_ptr<const Export>> seen;
    std::copy_if(exports_.all().begin(), exports_.all().end(), std::back_inserter(seen),
                 [this](const auto& each) { return peer_.allowed_by(each->allow); });
    return seen;
}

std::shared_ptr<const Export> PeerCatalog::find(std::string_view name) const {
    auto found = exports_.find(name);
    if (!found && name.empty() && exports_.all().size() == 1)
        found = exports_.all().front();
    return found && peer_.allowed_by(found->allow) ? found : nullptr;
}

} // namespace interposed::server
