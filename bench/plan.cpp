#include "bench/plan.hpp"

#include "bench/text.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <getopt.h>
#include <stdexcept>
#include <vector>

namespace interposed::bench {

namespace {

constexpr const char* help =
    R"(nbdload: load on an NBD server, and what it does with it

usage: nbdload [OPTION]... unix:/path | tcp:host:port
       nbdload --socket-copy unix|tcp [OPTION]...

what to do
  --workload NAME       randread, randwrite, read, write (one after the other), mixed; randread
  --read-percent N      the reads among mixed (70)
  --block-size SIZE     bytes of a request, at most 64MiB (4KiB)
  --depth N             requests in flight on each connection (1)
  --connections N       connections, a thread each (1)
  --idle N              connections besides that stay attached and do nothing (0)
  --region SIZE         use only the first SIZE bytes of the export
  --flush-every N       a FLUSH after every N writes of a connection
  --fua-percent N       writes with FUA
  --seed N              of the random numbers (1)
  --verify              fill the region with blocks that say where and when they were written,
                        check every read, and read all of it once more at the end.
                        OVERWRITES THE EXPORT
how long
  --seconds S           measure for so long (5)
  --requests N          or until so many requests are answered, over all connections
  --warmup S            do the same for so long first and count nothing (0)
  --timeout S           give up when the server is silent for so long (30)
how
  --export NAME         the export's name ("")
  --structured          ask for structured replies
  --tls FOLDER          over TLS; it has ca-cert.pem, client-cert.pem and client-key.pem
  --spin                poll the sockets instead of sleeping
  --socket-copy KIND    no server: a process that answers from memory, to see what sockets allow
what to tell
  --server-pid PID      the server's CPU time, with its threads and children; may be repeated
  --json                one JSON object instead of a line
  --help, --version
)";

constexpr std::uint64_t count_max = 1'000'000'000'000;
constexpr unsigned pid_max = 1u << 30;
constexpr std::array<const char*, 5> pattern_names{"randread", "randwrite", "read", "write",
                                                   "mixed"};

/// A plan, and what only makes sense once every word has been seen.
struct Draft {
    Plan plan;
    std::string pattern = "randread";
    unsigned mixed_reads = 70;
    bool copy = false;
};

[[noreturn]] void print_and_leave(const char* text) {
    std::fputs(text, stdout);
    std::exit(0);
}

unsigned number(const char* what, const std::string& text, unsigned least, unsigned most) {
    return static_cast<unsigned>(parse_count(what, text, least, most));
}

std::string known_pattern(const std::string& name) {
    for (const char* known : pattern_names)
        if (name == known)
            return name;
    throw std::invalid_argument(
        "--workload: want randread, randwrite, read, write or mixed, got \"" + name + "\"");
}

void name_pattern(Pattern& pattern, const std::string& name, unsigned mixed_reads) {
    pattern.name = name;
    pattern.random = name.starts_with("rand") || name == "mixed";
    pattern.read_percent = name == "mixed" ? mixed_reads : name.ends_with("read") ? 100 : 0;
}

bool over_tcp(const std::string& kind) {
    if (kind != "unix" && kind != "tcp")
        throw std::invalid_argument("--socket-copy: want unix or tcp, got \"" + kind + "\"");
    return kind == "tcp";
}

std::uint32_t block_bytes(const std::string& text) {
    const std::uint64_t size = parse_size("--block-size", text);
    if (size > (std::uint64_t{64} << 20))
        throw std::invalid_argument("--block-size: want at most 64MiB, got \"" + text + "\"");
    return static_cast<std::uint32_t>(size);
}

using Value = const std::string&;

struct Option {
    const char* name;
    bool has_value;
    void (*take)(Draft& draft, Value value);
};

const std::array option_table{
    Option{"workload", true, [](Draft& d, Value v) { d.pattern = known_pattern(v); }},
    Option{"read-percent", true,
           [](Draft& d, Value v) { d.mixed_reads = number("--read-percent", v, 0, 100); }},
    Option{"block-size", true, [](Draft& d, Value v) { d.plan.block = block_bytes(v); }},
    Option{"depth", true, [](Draft& d, Value v) { d.plan.depth = number("--depth", v, 1, 4096); }},
    Option{"connections", true,
           [](Draft& d, Value v) { d.plan.connections = number("--connections", v, 1, 1024); }},
    Option{"idle", true, [](Draft& d, Value v) { d.plan.idle = number("--idle", v, 0, 100'000); }},
    Option{"region", true, [](Draft& d, Value v) { d.plan.region = parse_size("--region", v); }},
    Option{"flush-every", true,
           [](Draft& d, Value v) {
               d.plan.pattern.flush_every = parse_count("--flush-every", v, 1, count_max);
           }},
    Option{
        "fua-percent", true,
        [](Draft& d, Value v) { d.plan.pattern.fua_percent = number("--fua-percent", v, 0, 100); }},
    Option{"seed", true,
           [](Draft& d, Value v) { d.plan.seed = parse_count("--seed", v, 0, count_max); }},
    Option{"verify", false, [](Draft& d, Value) { d.plan.verify = true; }},
    Option{"seconds", true,
           [](Draft& d, Value v) { d.plan.seconds = parse_seconds("--seconds", v); }},
    Option{"requests", true,
           [](Draft& d, Value v) { d.plan.requests = parse_count("--requests", v, 1, count_max); }},
    Option{"warmup", true,
           [](Draft& d, Value v) { d.plan.warmup_s = parse_seconds("--warmup", v); }},
    Option{"timeout", true,
           [](Draft& d, Value v) {
               d.plan.limit = std::chrono::seconds(number("--timeout", v, 1, 3600));
           }},
    Option{"export", true, [](Draft& d, Value v) { d.plan.export_name = v; }},
    Option{"tls", true, [](Draft& d, Value v) { d.plan.tls_folder = v; }},
    Option{"structured", false, [](Draft& d, Value) { d.plan.structured = true; }},
    Option{"spin", false, [](Draft& d, Value) { d.plan.spin = true; }},
    Option{"socket-copy", true,
           [](Draft& d, Value v) {
               d.copy = true;
               d.plan.copy_over_tcp = over_tcp(v);
           }},
    Option{"server-pid", true,
           [](Draft& d, Value v) {
               d.plan.server_pids.push_back(
                   static_cast<pid_t>(number("--server-pid", v, 1, pid_max)));
           }},
    Option{"json", false, [](Draft& d, Value) { d.plan.json = true; }},
    Option{"help", false, [](Draft&, Value) { print_and_leave(help); }},
    Option{"version", false, [](Draft&, Value) { print_and_leave("nbdload of interposed\n"); }},
};

/// The table as getopt wants it; an option's value there is its index here.
std::vector<option> getopt_table() {
    std::vector<option> made;
    for (const Option& one : option_table)
        made.push_back({.name = one.name,
                        .has_arg = one.has_value ? required_argument : no_argument,
                        .flag = nullptr,
                        .val = static_cast<int>(made.size())});
    made.push_back({});
    return made;
}

void check(const Plan& plan) {
    if (plan.requests == 0 && plan.seconds <= 0)
        throw std::invalid_argument("--seconds: want more than 0");
    if (plan.verify && plan.block % 512 != 0)
        throw std::invalid_argument("--verify: want a block size that 512 divides");
    if (!plan.server && (plan.structured || plan.verify || plan.idle > 0))
        throw std::invalid_argument(
            "--socket-copy: not together with --structured, --verify or --idle");
    if (plan.export_name.size() > 4096)
        throw std::invalid_argument("--export: want at most 4096 bytes");
}

} // namespace

Plan parse_arguments(int count, char** words) {
    Draft draft;
    const std::vector<option> table = getopt_table();
    int which = 0;
    while ((which = ::getopt_long(count, words, "", table.data(), nullptr)) != -1) {
        if (which == '?')
            throw std::invalid_argument("see nbdload --help");
        option_table.at(static_cast<std::size_t>(which))
            .take(draft, ::optarg == nullptr ? "" : ::optarg);
    }
    if (count - ::optind != (draft.copy ? 0 : 1))
        throw std::invalid_argument(draft.copy ? "--socket-copy: no server is wanted"
                                               : "want one server: unix:/path or tcp:host:port");
    if (!draft.copy)
        draft.plan.server = parse_address(words[::optind]);
    name_pattern(draft.plan.pattern, draft.pattern, draft.mixed_reads);
    check(draft.plan);
    return draft.plan;
}

} // namespace interposed::bench
