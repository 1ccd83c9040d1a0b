#include "devices/holders.hpp"

#include "devices/kernel_holders.hpp"
#include "devices/open_files.hpp"

#include <algorithm>

namespace interposed::devices {

namespace {

/// Of a search through everything that is open: an error message is worth no more waiting.
constexpr std::chrono::seconds search_time{2};

/// Names in one list of a message.
constexpr std::size_t most_names = 8;

Deadline search_deadline() {
    return std::chrono::steady_clock::now() + search_time;
}

void append(std::vector<std::string>& all, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(all));
}

std::string list(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < std::min(names.size(), most_names); ++i)
        text += (i == 0 ? "" : ", ") + names[i];
    if (names.size() > most_names)
        text += " and " + std::to_string(names.size() - most_names) + " more";
    return text;
}

void search_holders(const DeviceInfo& info, std::span<const int> ours, Holders& found) {
    const DeviceFamily family(info.identity);
    const Deadline deadline = search_deadline();
    append(found.held_by, mount_holders(family, deadline));
    append(found.held_by, swap_holders(family));
    append(found.held_by, driver_holders(family));
    append(found.held_by, btrfs_holders(family));
    append(found.open_in, loop_openers(family));
    for (const Opener& opener : find_openers(family, ours, deadline))
        found.open_in.push_back(opener.name + opener.note);
}

void search_locks(const DeviceInfo& info, const LockConflict& conflict, std::span<const int> ours,
                  Holders& found) {
    const std::string lock = ", whose lock on byte " + std::to_string(conflict.byte) +
                             " says that " + lock_meaning(conflict.byte);
    for (const Opener& opener : find_openers(DeviceFamily(info.identity), ours, search_deadline()))
        if (opener.note.empty() && opener.locks_byte(conflict.byte)) // a relative's are no matter
            found.held_by.push_back(opener.name + lock);
        else
            found.open_in.push_back(opener.name + opener.note);
    if (found.held_by.empty() && conflict.pid != 0)
        found.held_by.push_back(process_name({}, conflict.pid) + lock);
}

} // namespace

Holders who_holds(const DeviceInfo& info, std::span<const int> ours) noexcept {
    Holders found;
    try {
        search_holders(info, ours, found);
    } catch (const std::exception&) {
        // The claim's own error matters more; it is told with what was found by now.
    }
    return found;
}

std::string describe_holders(const DeviceInfo& info, std::span<const int> ours) noexcept {
    try {
        return to_string(who_holds(info, ours));
    } catch (const std::exception&) {
        return {};
    }
}

Holders who_locks(const DeviceInfo& info, const LockConflict& conflict,
                  std::span<const int> ours) noexcept {
    Holders found;
    try {
        search_locks(info, conflict, ours, found);
    } catch (const std::exception&) {
        // As above.
    }
    return found;
}

std::string describe_lock_holders(const DeviceInfo& info, const LockConflict& conflict,
                                  std::span<const int> ours) noexcept {
    try {
        const Holders found = who_locks(info, conflict, ours);
        if (!found.held_by.empty())
            return to_string(found);
        const std::string lock = "locked on byte " + std::to_string(conflict.byte) + " (" +
                                 lock_meaning(conflict.byte) + ") by nobody visible from here";
        return found.open_in.empty() ? lock : lock + "; open in " + list(found.open_in);
    } catch (const std::exception&) {
        return {};
    }
}

std::string to_string(const Holders& holders) {
    if (holders.empty())
        return {};
    const std::string first = holders.held_by.empty() ? "busy" : "held by " + list(holders.held_by);
    return holders.open_in.empty() ? first : first + "; open in " + list(holders.open_in);
}

} // namespace interposed::devices
