#pragma once

#include "fallback/guarded.hpp"
#include "interposectl/arguments.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/json.hpp"
#include "volume/checks.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What `interpose` is about to do. Pure.
namespace interposed::ctl {

/// What becomes of a volume whose server is gone.
struct GuardWish {
    std::string control;          ///< the server's socket
    std::uint32_t patience_s = 0; ///< for so long one is waited for
};

struct InterposePlan {
    std::string volume;
    std::string uuid;
    std::string export_name;
    std::string device; ///< "auto", or the one that was asked for
    volume::Table before;
    volume::DeviceNumber number;
    volume::Queue queue;
    pid_t server = 0;
    std::vector<std::string> mounts;
    bool neighbours = false; ///< device-mapper will keep its claim on a disk
    bool force = false;
    std::chrono::seconds limit{30}; ///< of the swap
    std::optional<GuardWish> fail_open;
    std::vector<volume::Finding> findings;

    [[nodiscard]] bool possible() const;
};

InterposePlan plan_for(const Arguments& arguments, const volume::Facts& facts);

/// --timeout, or the usual. Throws UsageError.
std::chrono::seconds swap_limit(const Arguments& arguments);

/// --fail-open and --fail-open-after. Throws UsageError.
std::optional<GuardWish> guard_wish(const Arguments& arguments);
/// What a guard is told of a volume that is interposed, or about to be.
fallback::Guarded guarded_of(const Interposition& one, volume::DeviceNumber number,
                             const GuardWish& wish);

/// What the export for a volume says of itself.
std::string description_of(const std::string& volume);

/// The export that takes the volume's place, as the configuration's "exports" have it.
Json export_of(const InterposePlan& plan);
/// What `export.attach` takes.
Json attach_of(const InterposePlan& plan);

/// Seconds, or null.
Json fail_open_json(const std::optional<GuardWish>& wish);
Json plan_json(const InterposePlan& plan);
std::string plan_text(const InterposePlan& plan);

Json findings_json(const std::vector<volume::Finding>& findings);
/// A line each, with its weight.
std::string findings_text(const std::vector<volume::Finding>& findings);
/// Throws Refused with those that forbid it, if there are any.
void refuse_for(const std::vector<volume::Finding>& findings, bool force);

} // namespace interposed::ctl
