#include "server/command_line.hpp"

#include <filesystem>
#include <getopt.h>

namespace interposed::server {

const char* const usage =
    R"(usage: interposed [--check | --take-over] CONFIG
       interposed --listen URI [OPTION]... DEVICE...

Serves tables of devices over NBD. CONFIG is a JSON file. Without one, the devices are served one
behind the other as one export.

  --check             say what CONFIG means, or what is wrong with it, and serve nothing
  --take-over         go on where the server that runs on CONFIG stops: exports that are devices
                      of this host's kernel keep serving; without one, start as usual
  --listen URI        tcp://HOST[:PORT], unix:///PATH, or systemd[:NAME] for sockets that who
                      starts the server has opened for it; may be repeated
  --export NAME       the name of the export (default: the empty name)
  --description TEXT  what clients are told of it
  --read-only         refuse writes, and open the devices read-only
  --shared            share the devices with others that use them (default: exclusive)
  --cache MODE        buffered or direct (default: direct for block devices)
  --no-io-uring       do without io_uring even where the kernel has it
  --help, --version

Exit status: 0 stopped as asked, or CONFIG is right; 1 something is wrong; 2 wrong usage.
)";

namespace {

enum Long : int {
    check = 256,
    take_over,
    listen_on,
    export_name,
    description,
    read_only,
    shared,
    cache,
    no_io_uring,
    help,
    version
};

const option long_options[] = {{"check", no_argument, nullptr, check},
                               {"take-over", no_argument, nullptr, take_over},
                               {"listen", required_argument, nullptr, listen_on},
                               {"export", required_argument, nullptr, export_name},
                               {"description", required_argument, nullptr, description},
                               {"read-only", no_argument, nullptr, read_only},
                               {"shared", no_argument, nullptr, shared},
                               {"cache", required_argument, nullptr, cache},
                               {"no-io-uring", no_argument, nullptr, no_io_uring},
                               {"help", no_argument, nullptr, help},
                               {"version", no_argument, nullptr, version},
                               {nullptr, 0, nullptr, 0}};

config::Cache parse_cache(const std::string& word) {
    if (word == "buffered")
        return config::Cache::buffered;
    if (word == "direct")
        return config::Cache::direct;
    throw UsageError("--cache: want buffered or direct, found \"" + word + "\"");
}

/// What is gathered while the arguments are read.
struct Gathered {
    CommandLine line;
    config::Export one;
    std::vector<config::Listener> listen;
    bool describes_export = false; ///< an option that has no meaning with a file
};

void take_option(Gathered& gathered, int what, const std::string& value) {
    gathered.describes_export = gathered.describes_export || (what >= export_name && what <= cache);
    switch (what) {
    case check:
        gathered.line.action = CommandLine::Action::check;
        return;
    case take_over:
        gathered.line.take_over = true;
        return;
    case listen_on:
        try {
            gathered.listen.push_back(config::parse_listener(value));
        } catch (const std::invalid_argument& why) {
            throw UsageError("--listen: " + std::string(why.what()));
        }
        return;
    case export_name:
        gathered.one.name = value;
        return;
    case description:
        gathered.one.description = value;
        return;
    case read_only:
        gathered.one.read_only = true;
        return;
    case shared:
        gathered.one.claim = config::Claim::shared;
        return;
    case cache:
        gathered.one.cache = parse_cache(value);
        return;
    case no_io_uring:
        gathered.line.ring = devices::Engine::Ring::never;
        return;
    case help:
        gathered.line.action = CommandLine::Action::help;
        return;
    case version:
        gathered.line.action = CommandLine::Action::version;
        return;
    default:
        throw UsageError("unknown option, or a value is missing");
    }
}

CommandLine finish(Gathered gathered, std::vector<std::string> operands) {
    CommandLine line = std::move(gathered.line);
    if (line.action == CommandLine::Action::help || line.action == CommandLine::Action::version)
        return line;
    if (gathered.listen.empty()) {
        if (operands.size() != 1)
            throw UsageError("want one configuration file, found " +
                             std::to_string(operands.size()));
        if (gathered.describes_export)
            throw UsageError("options that describe an export go with --listen; a configuration "
                             "file says it itself");
        line.file = operands.front();
        return line;
    }
    if (line.take_over)
        throw UsageError("--take-over wants a configuration file with \"control\"");
    if (operands.empty())
        throw UsageError("want at least one device, found none");
    line.without.emplace();
    line.without->file = "command line";
    line.without->listen = std::move(gathered.listen);
    for (std::size_t i = 0; i < operands.size(); ++i) {
        config::Segment segment;
        segment.device = std::filesystem::absolute(operands[i]).string();
        segment.place.path = "DEVICE " + std::to_string(i + 1);
        gathered.one.table.push_back(std::move(segment));
    }
    line.without->exports.push_back(std::move(gathered.one));
    return line;
}

} // namespace

CommandLine parse_command_line(int argc, char** argv) {
    Gathered gathered;
    opterr = 0; // the messages are ours
    for (int what = 0; (what = ::getopt_long(argc, argv, "+", long_options, nullptr)) != -1;) {
        if (what == '?')
            throw UsageError("unknown option or missing value: " + std::string(argv[optind - 1]));
        take_option(gathered, what, optarg == nullptr ? "" : optarg);
    }
    return finish(std::move(gathered), std::vector<std::string>(argv + optind, argv + argc));
}

} // namespace interposed::server
