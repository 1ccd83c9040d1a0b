#include "server/export_resolver.hpp"

#include "config/layout.hpp"
#include "config/quotes.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

namespace interposed::server {
namespace {

using config::Cache;
using config::Fault;
using config::in_quotes;
using devices::CacheMode;
using devices::DeviceInfo;
using devices::DeviceKind;

constexpr std::uint32_t no_device = std::numeric_limits<std::uint32_t>::max();

bool is_block_device(const DeviceInfo& info) {
    return info.identity.kind == DeviceKind::block_device;
}

/// A block device beside other users of it must not have a page cache of its own, so direct is
/// the rule there; a file's page cache is everybody's.
CacheMode cache_mode(const config::Export& source, const DeviceInfo& info) {
    if (source.cache == Cache::automatic)
        return is_block_device(info) ? CacheMode::direct : CacheMode::buffered;
    return source.cache == Cache::direct ? CacheMode::direct : CacheMode::buffered;
}

class ExportResolver {
public:
    ExportResolver(const config::Export& source, Probes& probes, std::vector<Fault>& faults)
        : source_(source), probes_(probes), faults_(faults) {
        result_.source = &source;
    }

    ResolvedExport run() {
        find_devices();
        if (!result_.disabled_because.empty())
            return {&source_, {}, {}, 0, result_.disabled_because};
        for (std::uint32_t i = 0; i < result_.devices.size(); ++i)
            check_device(i);
        lay_out();
        check_areas();
        check_alignment();
        return std::move(result_);
    }

private:
    void fault(std::size_t segment, std::string message) {
        faults_.push_back({source_.table[segment].place, std::move(message)});
    }

    [[nodiscard]] const DeviceInfo* device_of(std::size_t segment) const {
        const std::uint32_t device = result_.segments[segment].device;
        return device == no_device ? nullptr : &result_.devices[device].info;
    }

    void find_devices() {
        std::unordered_map<std::string, std::uint32_t> by_name;
        result_.segments.resize(source_.table.size());
        for (std::size_t i = 0; i < source_.table.size(); ++i) {
            const std::string& name = source_.table[i].device;
            const auto [known, is_new] = by_name.emplace(name, no_device);
            if (is_new)
                known->second = find_device(i, probes_.of(name));
            result_.segments[i].device = known->second;
            result_.segments[i].device_offset = source_.table[i].offset;
        }
    }

    std::uint32_t find_device(std::size_t segment, const Probes::Finding& finding) {
        if (finding.info)
            return add_device(segment, *finding.info);
        if (!finding.absent || !source_.optional)
            fault(segment, finding.fault);
        else if (result_.disabled_because.empty())
            result_.disabled_because = finding.fault;
        return no_device;
    }

    std::uint32_t add_device(std::size_t segment, const DeviceInfo& info) {
        const auto next = static_cast<std::uint32_t>(result_.devices.size());
        const auto [known, is_new] = by_identity_.emplace(info.identity, next);
        if (is_new) {
            result_.devices.push_back({info, cache_mode(source_, info)});
            first_segment_.push_back(segment);
        }
        return known->second;
    }

    void check_device(std::uint32_t index) {
        const auto& [info, cache] = result_.devices[index];
        const std::string subject = "device " + in_quotes(info.path) + ": ";
        if (info.read_only && !source_.read_only)
            fault(first_segment_[index], subject + "want a writable device, found a read-only "
                                                   "one; set \"read_only\": true to export it");
        if (is_block_device(info) && source_.claim != config::Claim::exclusive &&
            cache == CacheMode::buffered)
            fault(first_segment_[index],
                  subject + "want \"cache\": \"direct\" for a shared block device, got "
                            "\"buffered\": its page cache would be stale beside another writer");
    }

    void lay_out() {
        std::vector<config::Row> rows;
        rows.reserve(source_.table.size());
        bool complete = true;
        for (std::size_t i = 0; i < source_.table.size(); ++i) {
            const config::Segment& segment = source_.table[i];
            rows.push_back({segment.start, segment.length, &segment.place});
            if (!segment.length && !is_before_start(i))
                rows.back().length = rest_of_device(i);
            complete = complete && (rows.back().length || is_before_start(i));
        }
        if (complete) // else where the rest lies is not known, and why has been said
            config::lay_out(rows, faults_);
        for (std::size_t i = 0; i < rows.size(); ++i)
            result_.segments[i].where = {rows[i].start.value_or(0), rows[i].length.value_or(0)};
        result_.size = rows.empty() ? 0 : result_.segments.back().where.end();
    }

    [[nodiscard]] bool is_before_start(std::size_t segment) const {
        return segment + 1 < source_.table.size() && source_.table[segment + 1].start;
    }

    std::optional<std::uint64_t> rest_of_device(std::size_t segment) {
        const DeviceInfo* const info = device_of(segment);
        if (info == nullptr)
            return std::nullopt;
        const std::uint64_t offset = source_.table[segment].offset;
        if (offset < info->size)
            return info->size - offset;
        fault(segment, "device " + in_quotes(info->path) + ": want something behind offset " +
                           std::to_string(offset) + ", found a size of " +
                           std::to_string(info->size) + " bytes");
        return std::nullopt;
    }

    void check_areas() {
        for (std::size_t i = 0; i < result_.segments.size(); ++i) {
            const DeviceInfo* const info = device_of(i);
            const std::uint64_t offset = result_.segments[i].device_offset;
            const std::uint64_t length = result_.segments[i].where.length;
            if (info != nullptr && length > 0 && !mapping::Extent{offset, length}.fits(info->size))
                fault(i, "device " + in_quotes(info->path) + " is too small: start " +
                             std::to_string(offset) + ", length " + std::to_string(length) +
                             ", device size " + std::to_string(info->size));
        }
    }

    /// The largest block size of those that direct I/O has to respect binds the whole table, for
    /// the export has only one to offer. Block sizes are powers of two, so it implies the others;
    /// and as segments join from 0 on, their starts are aligned if their lengths are.
    void check_alignment() {
        const ResolvedDevice* strictest = nullptr;
        for (const ResolvedDevice& device : result_.devices)
            if (is_bound(device) &&
                (strictest == nullptr ||
                 device.info.logical_block_size > strictest->info.logical_block_size))
                strictest = &device;
        for (std::size_t i = 0; strictest != nullptr && i < result_.segments.size(); ++i)
            check_segment_alignment(i, strictest->info);
    }

    static bool is_bound(const ResolvedDevice& device) {
        return device.cache == CacheMode::direct && is_block_device(device.info);
    }

    void check_segment_alignment(std::size_t segment, const DeviceInfo& strictest) {
        const ResolvedSegment& at = result_.segments[segment];
        const std::string wanted = ": want a multiple of " +
                                   std::to_string(strictest.logical_block_size) +
                                   ", the logical block size of " + in_quotes(strictest.path);
        const auto aligned = [&strictest](std::uint64_t bytes) {
            return bytes % strictest.logical_block_size == 0;
        };
        if (!aligned(at.where.length))
            fault(segment, "start " + std::to_string(at.where.offset) + ", length " +
                               std::to_string(at.where.length) + wanted +
                               (source_.table[segment].length ? "" : "; give a \"length\""));
        if (at.device != no_device && is_bound(result_.devices[at.device]) &&
            !aligned(at.device_offset))
            fault(segment, "offset " + std::to_string(at.device_offset) + wanted);
    }

    const config::Export& source_;
    Probes& probes_;
    std::vector<Fault>& faults_;
    ResolvedExport result_;
    std::map<devices::DeviceIdentity, std::uint32_t> by_identity_;
    std::vector<std::size_t> first_segment_; ///< of each device, for messages
};

} // namespace

const Probes::Finding& Probes::of(const std::string& name) {
    const auto [known, is_new] = findings_.try_emplace(name);
    if (!is_new)
        return known->second;
    try {
        known->second.info = probe_(name);
    } catch (const devices::DeviceAbsent& why) {
        known->second.fault = why.what();
        known->second.absent = true;
    } catch (const std::runtime_error& why) {
        known->second.fault = why.what();
    }
    return known->second;
}

ResolvedExport resolve_export(const config::Export& source, Probes& probes,
                              std::vector<Fault>& faults) {
    ResolvedExport resolved = ExportResolver(source, probes, faults).run();
    resolved.access = resolve_access(source.allow, faults);
    return resolved;
}

} // namespace interposed::server
