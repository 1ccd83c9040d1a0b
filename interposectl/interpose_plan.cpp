#include "interposectl/interpose_plan.hpp"

#include "interposectl/errors.hpp"
#include "interposectl/text.hpp"

#include <algorithm>
#include <filesystem>

namespace interposed::ctl {
namespace {

using Weight = volume::Finding::Weight;

constexpr std::uint64_t bytes_per_sector = 512;
constexpr std::uint64_t longest_swap_s = 3600;
constexpr std::uint32_t timeout_s = 5;
constexpr std::uint32_t dead_conn_timeout_s = 600;
constexpr std::uint64_t usual_patience_s = 30;
/// A server that hangs is waited for twice as long, and the kernel has to wait longer still.
constexpr std::uint64_t longest_patience_s = 240;

bool forbids(const volume::Finding& finding, bool force) {
    return finding.weight == Weight::refusal || (finding.weight == Weight::risk && !force);
}

} // namespace

bool InterposePlan::possible() const {
    return std::none_of(findings.begin(), findings.end(),
                        [&](const volume::Finding& each) { return forbids(each, force); });
}

std::chrono::seconds swap_limit(const Arguments& arguments) {
    const auto text = arguments.value("timeout");
    if (!text)
        return std::chrono::seconds{30};
    const std::uint64_t seconds = parse_count("--timeout", *text);
    if (seconds == 0 || seconds > longest_swap_s)
        throw UsageError("--timeout: want 1 to " + std::to_string(longest_swap_s) +
                         " seconds, found " + *text);
    return std::chrono::seconds{seconds};
}

std::optional<GuardWish> guard_wish(const Arguments& arguments) {
    const auto text = arguments.value("fail-open-after");
    if (!arguments.has("fail-open") && text)
        throw UsageError("--fail-open-after: want --fail-open too, found it alone");
    if (!arguments.has("fail-open"))
        return std::nullopt;
    const std::uint64_t seconds = text ? parse_count("--fail-open-after", *text) : usual_patience_s;
    if (seconds == 0 || seconds > longest_patience_s)
        throw UsageError("--fail-open-after: want 1 to " + std::to_string(longest_patience_s) +
                         " seconds, found " + std::to_string(seconds));
    return GuardWish{.control = std::filesystem::absolute(socket_path(arguments)).string(),
                     .patience_s = static_cast<std::uint32_t>(seconds)};
}

fallback::Guarded guarded_of(const Interposition& one, volume::DeviceNumber number,
                             const GuardWish& wish) {
    return {.identifier = one.identifier,
            .volume = one.volume,
            .uuid = one.uuid,
            .number = number,
            .before = one.before,
            .after = one.after,
            .export_name = one.export_name,
            .device = one.device,
            .control = wish.control,
            .patience_s = wish.patience_s,
            .timeout_s = timeout_s,
            .dead_conn_timeout_s = dead_conn_timeout_s,
            .state = fallback::Guarded::State::watching,
            .since = fallback::now_text()};
}

InterposePlan plan_for(const Arguments& arguments, const volume::Facts& facts) {
    InterposePlan plan;
    plan.volume = facts.volume.name;
    plan.uuid = facts.volume.uuid;
    plan.export_name = arguments.value("export").value_or("interposed-" + plan.volume);
    plan.device = arguments.value("device").value_or("auto");
    plan.before = facts.volume.live;
    plan.number = facts.volume.number;
    plan.queue = facts.queue;
    plan.server = facts.server_process;
    plan.mounts = facts.mounts;
    plan.neighbours = !facts.neighbours.empty();
    plan.force = arguments.has("force");
    plan.limit = swap_limit(arguments);
    plan.fail_open = guard_wish(arguments);
    plan.findings = volume::check(facts);
    return plan;
}

std::string description_of(const std::string& volume) {
    return "in the path of the volume " + volume;
}

Json export_of(const InterposePlan& plan) {
    Json lines = Json::array();
    for (const std::string& line : volume::lines_of(plan.before))
        lines.push_back(line);
    // Who else wrote to it would bypass the filesystem.
    return {{"name", plan.export_name}, {"description", description_of(plan.volume)},
            {"claim", "shared"},        {"cache", "direct"},
            {"kernel_only", true},      {"dm_table", lines}};
}

Json attach_of(const InterposePlan& plan) {
    return {{"device", plan.device},
            {"connections", 1},
            {"timeout_s", timeout_s},
            {"dead_conn_timeout_s", dead_conn_timeout_s},
            {"block_size", plan.queue.logical_block_size}};
}

Json findings_json(const std::vector<volume::Finding>& findings) {
    Json all = Json::array();
    for (const volume::Finding& each : findings)
        all.push_back({{"weight", volume::word_of(each.weight)}, {"text", each.text}});
    return all;
}

std::string findings_text(const std::vector<volume::Finding>& findings) {
    std::string text;
    for (const volume::Finding& each : findings)
        text += std::string(volume::word_of(each.weight)) + ": " + harmless(each.text) + "\n";
    return text;
}

void refuse_for(const std::vector<volume::Finding>& findings, bool force) {
    std::string message;
    for (const volume::Finding& each : findings)
        if (forbids(each, force))
            message += (message.empty() ? "" : "\n") + each.text +
                       (each.weight == Weight::risk ? "; --force does it all the same" : "");
    if (!message.empty())
        throw Refused({{"code", code_refused},
                       {"message", message},
                       {"data", {{"kind", "refused"}, {"findings", findings_json(findings)}}}});
}

Json fail_open_json(const std::optional<GuardWish>& wish) {
    return wish ? Json(wish->patience_s) : Json();
}

Json plan_json(const InterposePlan& plan) {
    return {{"volume", plan.volume},
            {"uuid", plan.uuid},
            {"possible", plan.possible()},
            {"size", volume::size_of(plan.before) * bytes_per_sector},
            {"export", export_of(plan)},
            {"attach", attach_of(plan)},
            {"mounts", plan.mounts},
            {"findings", findings_json(plan.findings)},
            {"fail_open_after_s", fail_open_json(plan.fail_open)}};
}

std::string plan_text(const InterposePlan& plan) {
    const std::uint64_t sectors = volume::size_of(plan.before);
    std::string text = findings_text(plan.findings) + "volume " + printable(plan.volume) + ", " +
                       size_text(sectors * bytes_per_sector) + ", now:\n";
    for (const std::string& line : volume::lines_of(plan.before))
        text += "  " + harmless(line) + "\n";
    text +=
        "export " + export_name(plan.export_name) +
        " over the same, shared and direct, as a device with blocks of " +
        std::to_string(plan.queue.logical_block_size) + " bytes\nthen:\n  " +
        volume::line_of({0, sectors, "linear", "NBD 0"}) + "\n" +
        (plan.fail_open
             ? "and a guard: if there is no server for " +
                   std::to_string(plan.fail_open->patience_s) + " s, the table is as now again\n"
             : "") +
        (plan.possible() ? "nothing forbids it" : "it would be refused") + "; nothing was done\n";
    return text;
}

} // namespace interposed::ctl
