#include "server/command_line.hpp"
#include "server/log.hpp"
#include "server/resolve.hpp"
#include "server/server.hpp"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <sys/resource.h>

namespace {

using namespace interposed;
using server::CommandLine;

/// Ten thousand clients need ten thousand descriptors; the usual soft limit is a tenth of that.
void raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int serve(const CommandLine& line) {
    const config::Configuration configuration =
        line.without ? *line.without : config::load(line.file);
    const server::Resolved resolved = server::resolve(configuration);
    if (line.action == CommandLine::Action::check) {
        std::cout << server::describe(resolved);
        return 0;
    }
    for (const std::string& warning : resolved.warnings)
        server::log::warning(warning);
    server::Server(configuration, resolved, {.ring = line.ring}).run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    // A client that has gone must not end the server; a reload does not exist yet.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
    raise_descriptor_limit();
    try {
        const CommandLine line = server::parse_command_line(argc, argv);
        switch (line.action) {
        case CommandLine::Action::help:
            std::cout << server::usage;
            return 0;
        case CommandLine::Action::version:
            std::cout << "interposed " INTERPOSED_VERSION "\n";
            return 0;
        default:
            return serve(line);
        }
    } catch (const server::UsageError& why) {
        std::cerr << "interposed: " << why.what() << "\n" << server::usage;
        return 2;
    } catch (const std::exception& why) {
        std::cerr << why.what() << "\n";
        return 1;
    }
}
