#include "control/boot.hpp"

#include "attach/kernel_device.hpp"
#include "config/quotes.hpp"
#include "devices/kernel_files.hpp"

#include <filesystem>
#include <map>
#include <optional>

namespace interposed::control {

namespace {

bool is_of_its_boot(const std::optional<config::Export>& one) {
    return one && (one->interposed || one->claim == config::Claim::adopted);
}

/// What is left of it; nothing, if it was made for the interposition alone.
std::optional<Record> without_interposition(Record record) {
    for (auto* const one : {&record.live, &record.loaded}) {
        if (!is_of_its_boot(*one))
            continue;
        if ((*one)->interposed && record.origin == Record::Origin::created)
            return std::nullopt;
        if ((*one)->interposed)
            (*one)->attach.reset();
        (*one)->interposed.reset();
        (*one)->claim = config::Claim::shared;
    }
    return record;
}

} // namespace

std::string boot_id() {
    return devices::read_kernel_file("/proc/sys/kernel/random/boot_id").value_or("");
}

std::vector<std::string> forget_other_boot(StateStore& store, const std::string& boot) {
    const std::string last = devices::read_kernel_file(store.folder() + "/boot").value_or("");
    std::vector<std::string> forgotten;
    if (boot.empty() || last == boot)
        return forgotten;
    // A folder that does not say is one of a version that did not, perhaps of a moment ago.
    std::map<std::string, Record> records;
    if (!last.empty())
        records = store.records(); // a copy: they change below
    for (const auto& [name, record] : records) {
        if (!is_of_its_boot(record.live) && !is_of_its_boot(record.loaded))
            continue;
        const auto interposed = record.live ? record.live->interposed : std::nullopt;
        const auto pending = store.prepare(name, without_interposition(record));
        store.commit(*pending, [] { return true; });
        forgotten.push_back("export " + config::in_quotes(name) + ": since the last boot " +
                            (interposed ? "it is in the path of volume " +
                                              config::in_quotes(interposed->volume) + " no more"
                                        : "its claim is shared again"));
    }
    // Last: whoever is killed before this does it again.
    store.put_text("boot", boot + "\n");
    return forgotten;
}

bool is_built_upon(const std::string& device) {
    std::error_code failed;
    const auto index = attach::index_of(device);
    return !index || !std::filesystem::exists("/sys/block", failed) ||
           attach::is_built_upon(*index);
}

std::vector<std::string>
forget_ended(StateStore& store, const std::function<bool(const std::string&)>& is_built_upon) {
    std::vector<std::string> forgotten;
    const std::map<std::string, Record> records = store.records(); // a copy: they change below
    for (const auto& [name, record] : records) {
        const auto& live = record.live;
        // On the way in nothing leads here yet; on the way out somebody is busy with it.
        if (!live || !live->interposed || live->interposed->state != "in" || !live->attach ||
            is_built_upon(live->attach->device))
            continue;
        const auto pending = store.prepare(name, without_interposition(record));
        store.commit(*pending, [] { return true; });
        forgotten.push_back("export " + config::in_quotes(name) + ": volume " +
                            config::in_quotes(live->interposed->volume) +
                            " does not lead to it any more, so it is forgotten");
    }
    return forgotten;
}

} // namespace interposed::control
