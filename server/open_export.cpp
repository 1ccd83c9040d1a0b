#include "server/open_export.hpp"

#include "devices/device.hpp"
#include "server/request_meter.hpp"

#include <utility>

namespace interposed::server {

namespace {

/// Where small writes cannot be done for the blocks they lie in, no request may be moved off the
/// blocks by its segment.
void check_alignment(const Export& made, const std::vector<mapping::Segment>& segments,
                     const std::vector<std::shared_ptr<devices::Layer>>& below) {
    for (std::size_t i = 0; i < segments.size(); ++i) {
        const mapping::Segment& segment = segments[i];
        const std::uint32_t block = below[segment.device]->limits().minimum_block;
        if (segment.start % block != 0 || segment.length % block != 0 ||
            segment.device_offset % block != 0)
            throw devices::ClaimError(
                "export \"" + made.name + "\" segment " + std::to_string(i) + " on \"" +
                made.devices[segment.device] +
                "\": want start, length and offset in multiples of " + std::to_string(block) +
                " for shared direct I/O, found " + std::to_string(segment.start) + ", " +
                std::to_string(segment.length) + ", " + std::to_string(segment.device_offset));
    }
}

/// A killed server's claims are given up by the kernel a little after its end, and of what is
/// attached it may be the one before this one that had them.
constexpr std::chrono::milliseconds predecessor_lingers{3000};

devices::Registry::Wish wish_of(const config::Export& source, const ResolvedDevice& device) {
    return {.claim = claim_mode(source.claim),
            .access = source.read_only ? devices::Access::read_only : devices::Access::read_write,
            .cache = device.cache,
            .patience = source.attach ? predecessor_lingers : std::chrono::milliseconds(0),
            .user = source.name};
}

std::shared_ptr<TableLayer> make_table(const ResolvedExport& resolved, const Export& made) {
    std::vector<std::shared_ptr<devices::Layer>> below(made.opened.begin(), made.opened.end());
    std::vector<mapping::Segment> segments;
    segments.reserve(resolved.segments.size());
    for (const ResolvedSegment& each : resolved.segments)
        segments.push_back({.start = each.where.offset,
                            .length = each.where.length,
                            .device = each.device,
                            .device_offset = each.device_offset});
    check_alignment(made, segments, below);
    return std::make_shared<TableLayer>(mapping::Table(std::move(segments)), std::move(below));
}

void set_terms(Export& made, const config::Export& source, AccessPointer access) {
    made.name = source.name;
    made.description = source.description;
    made.read_only = source.read_only;
    made.access = std::move(access);
    made.max_connections = source.max_connections;
}

} // namespace

devices::ClaimMode claim_mode(config::Claim claim) {
    switch (claim) {
    case config::Claim::shared:
        return devices::ClaimMode::shared;
    case config::Claim::adopted:
        return devices::ClaimMode::adopted;
    case config::Claim::exclusive:
        break;
    }
    return devices::ClaimMode::exclusive;
}

Definition::Definition(const ResolvedExport& from) : source(*from.source), resolved(from) {
    resolved.source = &source;
}

std::unique_ptr<Export> open_export(devices::Registry& registry, const ResolvedExport& resolved,
                                    const Export* before, std::uint64_t memory, unsigned loops) {
    const config::Export& source = *resolved.source;
    auto made = std::make_unique<Export>();
    set_terms(*made, source, resolved.access);
    made->definition = std::make_shared<Definition>(resolved);
    made->generation = before == nullptr ? 1 : before->generation + 1;
    made->memory = before == nullptr ? std::make_shared<MemoryBudget>(memory) : before->memory;
    made->throttle = before == nullptr ? std::make_shared<Throttle>(source.qos) : before->throttle;
    made->statistics =
        before == nullptr ? std::make_shared<ExportStatistics>(loops) : before->statistics;
    for (const ResolvedDevice& device : resolved.devices) {
        made->opened.push_back(registry.open(device.info, wish_of(source, device)));
        made->devices.push_back(device.info.path);
    }
    made->table = make_table(resolved, *made);
    return made;
}

std::unique_ptr<Export> with_terms(const Export& before, const config::Export& source,
                                   AccessPointer access) {
    auto made = std::make_unique<Export>(before);
    ResolvedExport resolved = before.definition->resolved;
    resolved.source = &source;
    resolved.access = access;
    set_terms(*made, source, std::move(access));
    made->definition = std::make_shared<Definition>(resolved);
    return made;
}

} // namespace interposed::server
