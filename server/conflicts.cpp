#include "server/conflicts.hpp"

#include "config/quotes.hpp"
#include "server/overlaps.hpp"

#include <algorithm>
#include <cassert>
#include <map>
#include <string>
#include <utility>

namespace interposed::server {
namespace {

using config::Claim;
using config::Fault;
using config::in_quotes;

/// One export's use of one device.
struct Use {
    const ResolvedExport* by = nullptr;
    std::uint32_t device = 0;

    [[nodiscard]] const ResolvedDevice& resolved() const { return by->devices[device]; }
    [[nodiscard]] const devices::DeviceInfo& info() const { return resolved().info; }
    [[nodiscard]] std::string device_name() const { return "device " + in_quotes(info().path); }
    [[nodiscard]] std::string export_name() const {
        return "export " + in_quotes(by->source->name);
    }

    /// Of the first segment on the device.
    [[nodiscard]] const config::Place& place() const {
        const auto first =
            std::find_if(by->segments.begin(), by->segments.end(),
                         [this](const ResolvedSegment& s) { return s.device == device; });
        assert(first != by->segments.end());
        return by->source->table[static_cast<std::size_t>(first - by->segments.begin())].place;
    }
};

const char* claim_text(const Use& use) {
    return to_string(use.by->source->claim);
}

/// The registry opens a device once for all exports, in one way.
void compare_uses(const Use& first, const Use& use, std::vector<Fault>& faults) {
    if (first.by->source->claim != use.by->source->claim)
        faults.push_back({use.place(), use.device_name() + ": want one claim in all exports, got " +
                                           claim_text(use) + " in " + use.export_name() + " and " +
                                           claim_text(first) + " in " + first.export_name()});
    else if (first.resolved().cache != use.resolved().cache)
        faults.push_back(
            {use.place(),
             use.device_name() + ": want one cache mode in all exports, got " +
                 devices::to_string(use.resolved().cache) + " in " + use.export_name() + " and " +
                 devices::to_string(first.resolved().cache) + " in " + first.export_name()});
}

/// The kernel gives an exclusive claim, and so an adopted one, on a whole disk or on its
/// partitions, never on both.
class DiskClaims {
public:
    explicit DiskClaims(std::vector<Fault>& faults) : faults_(faults) {}

    void add(const Use& use) {
        const devices::DeviceInfo& info = use.info();
        if (use.by->source->claim == Claim::shared ||
            info.identity.kind != devices::DeviceKind::block_device)
            return;
        const bool is_disk = info.identity == info.place.medium;
        const auto& others = is_disk ? partitions_ : disks_;
        if (const auto other = others.find(info.place.medium); other != others.end())
            refuse(use, other->second);
        (is_disk ? disks_ : partitions_).emplace(info.place.medium, use);
    }

private:
    void refuse(const Use& use, const Use& other) {
        faults_.push_back({use.place(), use.device_name() + " of " + use.export_name() + " and " +
                                            other.device_name() + " of " + other.export_name() +
                                            " are a disk and its partition: both cannot be claimed "
                                            "exclusively"});
    }

    std::map<devices::DeviceIdentity, Use> disks_;
    std::map<devices::DeviceIdentity, Use> partitions_; ///< by disk; any one will do
    std::vector<Fault>& faults_;
};

void compare_devices(const std::vector<ResolvedExport>& exports, std::vector<Fault>& faults) {
    std::map<devices::DeviceIdentity, Use> first_use;
    DiskClaims disk_claims(faults);
    for (const ResolvedExport& one : exports) {
        for (std::uint32_t i = 0; i < one.devices.size(); ++i) {
            const Use use{&one, i};
            const auto [first, is_new] = first_use.emplace(use.info().identity, use);
            if (!is_new)
                compare_uses(first->second, use, faults);
            disk_claims.add(use);
        }
    }
}

/// The areas one export writes to. Those beyond their device have been reported already.
void add_areas(const ResolvedExport& from, std::uint32_t owner, std::vector<Area>& areas) {
    if (from.source->read_only)
        return;
    for (std::uint32_t i = 0; i < from.segments.size(); ++i) {
        const ResolvedSegment& segment = from.segments[i];
        if (segment.device >= from.devices.size())
            continue;
        const devices::DeviceInfo& info = from.devices[segment.device].info;
        const mapping::Extent where{segment.device_offset, segment.where.length};
        if (where.fits(info.size))
            areas.push_back({info.place.medium,
                             {info.place.start + where.offset, where.length},
                             from.source->claim == Claim::shared,
                             owner,
                             i});
    }
}

std::string text_of(const ResolvedExport& from, std::uint32_t segment) {
    const ResolvedSegment& at = from.segments[segment];
    return "device " + in_quotes(from.devices[at.device].info.path) + " offset " +
           std::to_string(at.device_offset) + " length " + std::to_string(at.where.length);
}

Fault overlap_fault(const std::vector<ResolvedExport>& exports, const Overlap& overlap) {
    const ResolvedExport& earlier = exports[overlap.earlier.owner];
    const ResolvedExport& later = exports[overlap.later.owner];
    const bool same_export = &earlier == &later;
    const std::string rule = same_export ? "; no export may write to the same bytes twice"
                                         : "; exports may only write to the same bytes if all of "
                                           "them are shared";
    return {later.source->table[overlap.later.segment].place,
            text_of(later, overlap.later.segment) + " overlaps " +
                text_of(earlier, overlap.earlier.segment) + " of " +
                (same_export ? "" : "export " + in_quotes(earlier.source->name) + ", ") +
                earlier.source->table[overlap.earlier.segment].place.path + rule};
}

} // namespace

void find_conflicts(const std::vector<ResolvedExport>& exports, std::vector<Fault>& faults) {
    compare_devices(exports, faults);
    std::vector<Area> areas;
    for (std::uint32_t i = 0; i < exports.size(); ++i)
        add_areas(exports[i], i, areas);
    for (const Overlap& overlap : find_overlaps(std::move(areas)))
        faults.push_back(overlap_fault(exports, overlap));
}

} // namespace interposed::server
