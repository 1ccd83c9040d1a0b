#include "interposectl/syntax.hpp"

#include <algorithm>
#include <array>

namespace interposed::ctl {
namespace {

constexpr std::array common_table = {
    OptionSyntax{"socket", "PATH", "the server's control socket"},
    OptionSyntax{"json", nullptr, "print results, and errors, as JSON on standard output"},
    OptionSyntax{"help", nullptr, "print this"},
};

constexpr std::array table_options = {
    OptionSyntax{"inactive", nullptr, "the table that is loaded and not yet live"},
    OptionSyntax{"dm", nullptr, "lines as dmsetup takes them"},
};
constexpr std::array map_options = {
    OptionSyntax{"inactive", nullptr, "the table that is loaded and not yet live"},
};
constexpr std::array load_options = {
    OptionSyntax{"dm", nullptr, "FILE has lines of dmsetup; refuse JSON"},
};
constexpr std::array remove_options = {
    OptionSyntax{"drain", nullptr, "take no new clients, and go with the last one"},
    OptionSyntax{"disconnect", nullptr, "disconnect its clients"},
};
constexpr std::array suspend_options = {
    OptionSyntax{"noflush", nullptr, "do not flush the devices first"},
    OptionSyntax{"timeout", "S", "give up after so many seconds (default: 30)"},
};
constexpr std::array resume_options = {
    OptionSyntax{"noflush", nullptr, "do not flush the devices that are left"},
    OptionSyntax{"timeout", "S", "give up after so many seconds (default: 30)"},
};
constexpr std::array drain_options = {
    OptionSyntax{"undo", nullptr, "take new clients again"},
    OptionSyntax{"wait", nullptr, "return when the last client has gone"},
};
constexpr std::array qos_options = {
    OptionSyntax{"iops", "N", "requests a second"},
    OptionSyntax{"iops-burst", "N", "requests at once"},
    OptionSyntax{"bandwidth", "SIZE", "bytes a second, read and written together"},
    OptionSyntax{"bandwidth-burst", "SIZE", "bytes at once"},
    OptionSyntax{"client-iops", "N", "the same, of each client by itself"},
    OptionSyntax{"client-iops-burst", "N", ""},
    OptionSyntax{"client-bandwidth", "SIZE", ""},
    OptionSyntax{"client-bandwidth-burst", "SIZE", ""},
};
constexpr std::array claim_options = {
    OptionSyntax{"timeout", "S", "give up after so many seconds (default: 30)"},
};
constexpr std::array attach_options = {
    OptionSyntax{"connections", "N", "sockets to the kernel, 1 to 16 (default: 1)"},
    OptionSyntax{"block-size", "SIZE", "of the device, 512 to 4096 (default: the export's)"},
    OptionSyntax{"timeout", "S", "then the kernel sends a request again (default: 5)"},
    OptionSyntax{"dead-conn-timeout", "S",
                 "for so long requests wait for a server that has gone (default: 600)"},
    OptionSyntax{"identifier", "NAME", "by which the next server knows it (default: the export's)"},
};
constexpr std::array detach_options = {
    OptionSyntax{"force", nullptr, "even if it is in use: what is in flight fails"},
};
constexpr std::array disconnect_options = {
    OptionSyntax{"now", nullptr, "do not answer what is in flight first"},
    OptionSyntax{"export", "NAME", "every session of this export"},
    OptionSyntax{"client", "ADDR", "every session of this address"},
};
constexpr std::array trace_options = {
    OptionSyntax{"export", "NAME", "every session of this export"},
    OptionSyntax{"client", "ADDR", "every session of this address"},
};
constexpr std::array log_options = {
    OptionSyntax{"level", "L", "error, warning, info or debug"},
    OptionSyntax{"format", "F", "text or json"},
};
constexpr std::array reload_options = {
    OptionSyntax{"drain", nullptr, "exports that are removed go with their last client"},
    OptionSyntax{"disconnect", nullptr, "disconnect the clients of exports that are removed"},
    OptionSyntax{"configuration-wins", nullptr, "give up changes made at run time"},
    OptionSyntax{"runtime-wins", nullptr, "keep changes made at run time"},
};
constexpr std::array top_options = {
    OptionSyntax{"interval", "S", "seconds between two looks (default: 1)"},
    OptionSyntax{"count", "N", "stop after so many (default: go on until Ctrl-C)"},
    OptionSyntax{"devices", nullptr, "a line for each device too"},
};
constexpr std::array wait_options = {
    OptionSyntax{"timeout", "S", "give up after so many seconds (default: never)"},
};

constexpr std::array interpose_options = {
    OptionSyntax{"dry-run", nullptr, "look, say what would be done, and do nothing"},
    OptionSyntax{"force", nullptr, "do it where it is a risk; what does harm is refused anyway"},
    OptionSyntax{"export", "NAME", "call the export so (default: interposed-VOLUME)"},
    OptionSyntax{"device", "DEVICE", "attach it as this /dev/nbdX (default: a free one)"},
    OptionSyntax{"timeout", "S", "give up if I/O is held for so many seconds (default: 30)"},
    OptionSyntax{"fail-open", nullptr, "if there is no server any more, go back to the disks"},
    OptionSyntax{"fail-open-after", "S", "wait for one so many seconds (default: 30)"},
};
constexpr std::array release_options = {
    OptionSyntax{"force", nullptr, "give up the rest where somebody else has changed the table"},
    OptionSyntax{"timeout", "S", "give up if I/O is held for so many seconds (default: 30)"},
};

constexpr std::string_view volume_details =
    "VOLUME is a device-mapper volume, such as a logical volume: its name, its node in /dev, or\n"
    "the mount point of a filesystem on it.\n";

constexpr std::string_view file_details =
    "FILE may be \"-\", standard input. Relative device paths in it are relative to its folder.\n";

constexpr std::array verb_table = {
    VerbSyntax{"ls", "", "list the exports", "", {}, 0, 0},
    VerbSyntax{"status", "[EXPORT]", "everything about one export, or all", "", {}, 0, 1},
    VerbSyntax{"table", "EXPORT", "the export's table, as `load` takes it", "", table_options, 1,
               1},
    VerbSyntax{"map", "EXPORT", "a picture of the export's table", "", map_options, 1, 1},
    VerbSyntax{
        "create",
        "FILE",
        "serve one more export",
        "FILE is an export as in the configuration's \"exports\".\n"
        "It may be \"-\", standard input; relative device paths are relative to its folder.\n",
        {},
        1,
        1},
    VerbSyntax{"remove", "EXPORT", "serve an export no more",
               "Refused if it has clients, unless an option says what becomes of them.\n",
               remove_options, 1, 1},
    VerbSyntax{"load", "EXPORT FILE", "load a table beside the live one; `resume` swaps them",
               file_details, load_options, 2, 2},
    VerbSyntax{"clear", "EXPORT", "drop the table that is loaded and not live", "", {}, 1, 1},
    VerbSyntax{"suspend", "EXPORT", "hold all requests; `resume` goes on", "", suspend_options, 1,
               1},
    VerbSyntax{"resume", "EXPORT", "swap in the loaded table, if any, and go on", "",
               resume_options, 1, 1},
    VerbSyntax{"resize",
               "EXPORT [SIZE]",
               "grow the last segment with its device, or to SIZE",
               "",
               {},
               1,
               2},
    VerbSyntax{"reopen",
               "EXPORT",
               "accept that a flush has failed, and go on",
               "Whatever was written before and not flushed since may be lost.\n",
               {},
               1,
               1},
    VerbSyntax{"drain", "[EXPORT]", "take no new clients, of one export or of any", "",
               drain_options, 0, 1},
    VerbSyntax{"qos", "EXPORT", "set limits of requests and bytes a second, or show them",
               "0 is no limit. What is not named stays as it is.\n", qos_options, 1, 1},
    VerbSyntax{
        "claim", "EXPORT adopted|shared",
        "claim the devices of a shared export, or share them again",
        "An adopted claim keeps every other claimer away, and all else stays as it is shared.\n"
        "Refused while somebody else has a claim on one of the devices.\n",
        claim_options, 2, 2},
    VerbSyntax{
        "attach", "EXPORT [DEVICE]", "make it a device of this host's kernel, /dev/nbdX",
        "Without DEVICE, or with \"auto\", any that is free. It stays attached, and a server\n"
        "that is started after this one attaches it again.\n",
        attach_options, 1, 2},
    VerbSyntax{"detach", "EXPORT", "free its device; refused while that is in use", "",
               detach_options, 1, 1},
    VerbSyntax{
        "attached", "", "list the exports that are devices of this host's kernel", "", {}, 0, 0},
    VerbSyntax{"interpose", "VOLUME", "put the server into the path of a live volume",
               volume_details, interpose_options, 1, 1},
    VerbSyntax{"release", "VOLUME", "take the server out of its path again", volume_details,
               release_options, 1, 1},
    VerbSyntax{"interposed",
               "[VOLUME]",
               "list the volumes the server is in the path of",
               "Exits with 1 if one of them is not as it was left.\n",
               {},
               0,
               1},
    VerbSyntax{"guard",
               "[VOLUME]",
               "lead volumes back to their disks that have no server",
               "Watches over a volume that is interposed with --fail-open until that is released,\n"
               "or over all there are, and goes on: for a service. Talks to no server.\n",
               {},
               0,
               1},
    VerbSyntax{"sessions", "[EXPORT]", "list the clients' connections", "", {}, 0, 1},
    VerbSyntax{"disconnect", "SESSION|--export NAME|--client ADDR", "disconnect clients", "",
               disconnect_options, 0, 1},
    VerbSyntax{"trace", "on|off SESSION|--export NAME|--client ADDR",
               "log each request of these sessions", "", trace_options, 1, 2},
    VerbSyntax{"log", "", "show or set what is logged", "", log_options, 0, 0},
    VerbSyntax{"reload", "", "read the configuration file again",
               "Refused, unless options say otherwise, where exports with clients would go or\n"
               "changes made at run time be lost.\n",
               reload_options, 0, 0},
    VerbSyntax{"top", "", "watch what is going on", "", top_options, 0, 0},
    VerbSyntax{"statistics", "", "what was done since the start", "", {}, 0, 0},
    VerbSyntax{"metrics", "", "the same as OpenMetrics text", "", {}, 0, 0},
    VerbSyntax{"wait", "EVENT [EXPORT]", "return when something has happened",
               "EVENT is connected, disconnected, created, removed, loaded, swapped, suspended,\n"
               "resumed, drained, reloaded, flush_error or any.\n",
               wait_options, 1, 2},
    VerbSyntax{"version", "", "the server's version, and what it runs on", "", {}, 0, 0},
};

constexpr std::array<std::string_view, 12> event_table = {
    "connected", "disconnected", "created", "removed",  "loaded",      "swapped",
    "suspended", "resumed",      "drained", "reloaded", "flush_error", "any"};

} // namespace

const std::span<const VerbSyntax> verbs = verb_table;
const std::span<const OptionSyntax> common_options = common_table;
const std::span<const std::string_view> event_names = event_table;

const VerbSyntax* find_verb(std::string_view name) {
    const auto found = std::find_if(verb_table.begin(), verb_table.end(),
                                    [&](const VerbSyntax& verb) { return verb.name == name; });
    return found == verb_table.end() ? nullptr : &*found;
}

} // namespace interposed::ctl
