#include "volume/checks.hpp"

#include "config/quotes.hpp"
#include "config/sizes.hpp"

#include <algorithm>

namespace interposed::volume {
namespace {

using config::in_quotes;
using Weight = Finding::Weight;

class Findings {
public:
    explicit Findings(std::string subject) : subject_(std::move(subject)) {}

    void add(Weight weight, const std::string& text) {
        all_.push_back({weight, subject_ + ": " + text});
    }

    std::vector<Finding> sorted() {
        std::stable_sort(all_.begin(), all_.end(), [](const Finding& one, const Finding& other) {
            return one.weight > other.weight;
        });
        return std::move(all_);
    }

private:
    std::string subject_;
    std::vector<Finding> all_;
};

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

void check_table(Findings& findings, const Facts& facts) {
    const Mapped& volume = facts.volume;
    if (volume.live.empty())
        findings.add(Weight::refusal, "want a live table, found none");
    for (const Target& target : volume.live)
        if (target.type != "linear")
            findings.add(Weight::refusal,
                         "want linear targets only, found " + in_quotes(line_of(target)));
    if (!volume.live.empty() && size_of(volume.live) != facts.sectors)
        findings.add(Weight::refusal, "want a table of the size of the device, " +
                                          std::to_string(facts.sectors) + " sectors, found " +
                                          std::to_string(size_of(volume.live)));
    if (volume.suspended)
        findings.add(Weight::refusal, "it is suspended; whoever did that is not done yet");
    if (volume.inactive_table)
        findings.add(Weight::refusal,
                     "somebody has loaded an inactive table, which a resume would make live; "
                     "`dmsetup table --inactive` shows it, `dmsetup clear` drops it");
    if (volume.read_only)
        findings.add(Weight::refusal, "want a volume that can be written, found a read-only one");
    for (const std::string& disk : facts.read_only)
        findings.add(Weight::refusal,
                     "want disks that can be written, found " + disk + " read-only");
    if (facts.queue.zoned != "none")
        findings.add(Weight::refusal,
                     "want an ordinary device, found a " + facts.queue.zoned + " zoned one");
}

void check_surroundings(Findings& findings, const Facts& facts) {
    if (!facts.has_nbd)
        findings.add(Weight::refusal,
                     "the kernel's nbd driver is not loaded; `modprobe nbd` loads it");
    for (const std::string& swap : facts.swaps)
        findings.add(Weight::refusal,
                     "swap is on it, " + swap +
                         ": the server would need memory to write out memory; `swapoff` it");
    if (std::find(facts.mounts.begin(), facts.mounts.end(), "/") != facts.mounts.end())
        findings.add(Weight::risk, "the root filesystem is on it: while the server is away, "
                                   "nothing can be started that is not in memory, the server "
                                   "included; keep a copy of it in a tmpfs");
    for (const Neighbour& each : facts.neighbours)
        findings.add(Weight::warning,
                     each.overlaps
                         ? in_quotes(each.name) + " has the same sectors of " + each.disk +
                               ": what it writes bypasses the server"
                         : in_quotes(each.name) + " is on " + each.disk +
                               " too, so device-mapper keeps its claim on the disk: a lease will "
                               "be the fence, which only our own servers respect");
    if (facts.volume.uuid.starts_with("LVM-"))
        findings.add(Weight::warning,
                     "LVM thinks that the volume is its own: lvchange, lvextend, lvconvert and "
                     "vgchange load LVM's table again, and the server is out of the path without "
                     "a word; `interposectl interposed` tells");
    if (!facts.stacked.empty())
        findings.add(Weight::note, "on top of it: " + listed(facts.stacked));
}

/// Why it is a bad place, and how bad.
struct Reason {
    Use use;
    Weight weight;
    const char* what;
    const char* why;
};

constexpr Reason reasons[] = {
    {Use::program, Weight::risk, "the server's program",
     "while it is away it cannot be started from there again; keep a copy in a tmpfs"},
    {Use::library, Weight::risk, "a library of the server's",
     "while the server is away it cannot be started with it again"},
    {Use::working_folder, Weight::risk, "the server's working folder", "start it in another"},
    {Use::core_dumps, Weight::risk, "the place of the server's core dumps",
     "a server that crashed would wait for itself; set its core limit to 0, or core_pattern "
     "to another place"},
    {Use::open_file, Weight::refusal, "a file that the server has open for writing",
     "it would wait for itself"},
    {Use::socket, Weight::refusal, "a socket of the server's",
     "nobody could reach it while it is needed most"},
    {Use::state_folder, Weight::refusal, "the server's state_dir",
     "it could not be restarted, and would wait for itself"},
    {Use::configuration, Weight::risk, "the server's configuration",
     "while the server is away it could not be started with it"},
    {Use::lease_folder, Weight::refusal, "the folder of the leases", "it would wait for itself"},
};

void check_server(Findings& findings, const Facts& facts) {
    for (const Needed& needed : facts.server)
        for (const Reason& reason : reasons)
            if (reason.use == needed.use)
                findings.add(reason.weight, std::string(reason.what) + ", " +
                                                in_quotes(needed.path) +
                                                ", is on it: " + reason.why);
    if (!facts.server_keeps_state)
        findings.add(Weight::risk, "the server has no state_dir: once it ends, however that "
                                   "happens, no other will serve the volume");
    for (const Needed& needed : facts.own)
        if (needed.use == Use::program)
            findings.add(Weight::warning, "interposectl itself is on it: keep a copy of it "
                                          "elsewhere, for `release`");
    for (const Needed& needed : facts.own)
        if (facts.is_guarded && (needed.use == Use::program || needed.use == Use::library))
            findings.add(Weight::risk, in_quotes(needed.path) +
                                           " is on it: while there is no server, no guard could be "
                                           "started from there again; run a copy of it elsewhere");
}

std::string cache_word(bool write_back) {
    return write_back ? "write back" : "write through";
}

std::string bytes_text(std::uint64_t bytes) {
    return bytes == 0 ? "none" : config::size_text(bytes);
}

} // namespace

const char* word_of(Weight weight) {
    switch (weight) {
    case Weight::note:
        return "note";
    case Weight::warning:
        return "warning";
    case Weight::risk:
        return "refused without --force";
    case Weight::refusal:
        break;
    }
    return "refused";
}

std::vector<Finding> check(const Facts& facts) {
    Findings findings("volume " + in_quotes(facts.volume.name));
    check_table(findings, facts);
    check_surroundings(findings, facts);
    check_server(findings, facts);
    return findings.sorted();
}

std::vector<Finding> check(const Memory& server) {
    Findings findings("the server");
    if (!server.locked)
        findings.add(Weight::warning,
                     "want it locked in memory, found it is not: when memory runs out it may have "
                     "to be read in again, through itself; is it root's?");
    if (server.oom_score_adj > -900)
        findings.add(Weight::warning, "its oom_score_adj is " +
                                          std::to_string(server.oom_score_adj) +
                                          ": if memory runs out, the kernel may kill it; -1000 "
                                          "keeps it from that");
    return findings.sorted();
}

std::vector<Finding> compare(const Queue& volume, const Queue& device, const std::string& name) {
    Findings findings(name);
    if (device.logical_block_size != volume.logical_block_size)
        findings.add(Weight::refusal, "want the volume's logical blocks of " +
                                          std::to_string(volume.logical_block_size) +
                                          " bytes, found " +
                                          std::to_string(device.logical_block_size));
    if (volume.write_back && !device.write_back)
        findings.add(Weight::refusal,
                     "want a write back cache, as the volume has, found " +
                         cache_word(device.write_back) +
                         ": flushes would be lost, and with them what a filesystem believes to "
                         "be on disk");
    const auto note = [&](const char* what, std::uint64_t before, std::uint64_t after) {
        if (before != after)
            findings.add(Weight::note, std::string(what) + " was " + bytes_text(before) +
                                           " and will be " + bytes_text(after));
    };
    note("the largest request", volume.max_request, device.max_request);
    note("the largest discard", volume.max_discard, device.max_discard);
    note("the granularity of discards", volume.discard_granularity, device.discard_granularity);
    note("the largest write of zeroes", volume.max_write_zeroes, device.max_write_zeroes);
    return findings.sorted();
}

} // namespace interposed::volume
