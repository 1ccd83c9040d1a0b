#include "server/overlaps.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace interposed::server {
namespace {

bool reaches(const Area* area, const Area& start_of) {
    return area != nullptr && area->where.end() > start_of.where.offset;
}

bool ends_behind(const Area& area, const Area* other) {
    return other == nullptr || area.where.end() > other->where.end();
}

/// Of all areas seen, the one that reaches farthest, and the same among those of other owners.
class Frontier {
public:
    void add(const Area& area) {
        const bool same_owner = farthest_ != nullptr && farthest_->owner == area.owner;
        if (ends_behind(area, farthest_)) {
            if (!same_owner)
                farthest_other_ = farthest_;
            farthest_ = &area;
        } else if (!same_owner && ends_behind(area, farthest_other_)) {
            farthest_other_ = &area;
        }
    }

    [[nodiscard]] const Area* of_another(std::uint32_t owner) const {
        return farthest_ != nullptr && farthest_->owner == owner ? farthest_other_ : farthest_;
    }

private:
    const Area* farthest_ = nullptr;
    const Area* farthest_other_ = nullptr;
};

/// Goes along one medium by where the areas begin: an area overlaps one that began before it if
/// any of those reaches beyond its beginning, so only the farthest ones need be remembered.
class Sweep {
public:
    /// The area before that this one must not overlap but does, or nullptr.
    const Area* add(const Area& area) {
        const Area*& own = farthest_own_[area.owner];
        const Area* const other = (area.shared ? exclusive_ : all_).of_another(area.owner);
        const Area* const met = reaches(own, area) ? own : reaches(other, area) ? other : nullptr;
        if (ends_behind(area, own))
            own = &area;
        all_.add(area);
        if (!area.shared)
            exclusive_.add(area);
        return met;
    }

private:
    std::unordered_map<std::uint32_t, const Area*> farthest_own_;
    Frontier all_;
    Frontier exclusive_;
};

bool begins_before(const Area& a, const Area& b) {
    return std::tie(a.medium, a.where.offset, a.owner, a.segment) <
           std::tie(b.medium, b.where.offset, b.owner, b.segment);
}

bool stands_before(const Area& a, const Area& b) {
    return std::tie(a.owner, a.segment) < std::tie(b.owner, b.segment);
}

} // namespace

std::vector<Overlap> find_overlaps(std::vector<Area> areas) {
    std::sort(areas.begin(), areas.end(), begins_before);
    std::vector<Overlap> found;
    Sweep sweep;
    for (std::size_t i = 0; i < areas.size(); ++i) {
        if (i > 0 && areas[i].medium != areas[i - 1].medium)
            sweep = Sweep();
        if (const Area* const met = sweep.add(areas[i]))
            found.push_back(stands_before(*met, areas[i]) ? Overlap{*met, areas[i]}
                                                          : Overlap{areas[i], *met});
    }
    return found;
}

} // namespace interposed::server
