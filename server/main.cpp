#include "attach/residence.hpp"
#include "control/boot.hpp"
#include "control/control.hpp"
#include "control/hand_over.hpp"
#include "control/state_store.hpp"
#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"
#include "server/command_line.hpp"
#include "server/log.hpp"
#include "server/resolve.hpp"
#include "server/server.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <sys/resource.h>
#include <utility>
#include <vector>

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

/// What is served is not what the file says, and who wrote the file wants to know.
void warn_of_records(const control::StateStore& store) {
    for (const auto& [name, record] : store.records()) {
        const char* const how = record.origin == control::Record::Origin::removed ? "removed"
                                : record.origin == control::Record::Origin::same
                                    ? "given another table, which is loaded,"
                                    : "made or changed";
        server::log::warning("export \"" + name + "\" was " + how + " at run time: so says \"" +
                             store.folder() + "\", whatever the configuration file says");
    }
}

/// Threads inherit it, so it comes before them, and before it is known whether something will be
/// attached at run time.
void prepare_for_kernel(const config::Configuration& configuration) {
    const bool attaches =
        std::any_of(configuration.exports.begin(), configuration.exports.end(),
                    [](const config::Export& each) { return each.attach.has_value(); });
    if (!attaches && !configuration.control)
        return;
    const std::string failed = attach::become_io_flusher();
    if (attaches && !failed.empty())
        server::log::warning("serving this host's kernel without what protects it from waiting for "
                             "itself when memory is short: " +
                             failed);
}

/// Afterwards no other server runs on this configuration.
std::vector<control::Attachment::Handed> take_over(const config::Configuration& file) {
    if (!file.control)
        throw std::runtime_error(file.file + ": --take-over wants \"control\", found none");
    (void)server::resolve(file); // what is wrong with it is better known before
    const auto ask = [&file](const std::string& socket) {
        std::optional<ctl::Client> running;
        try {
            running.emplace(file.control->socket.path);
        } catch (const ctl::Unreachable& why) {
            server::log::info(std::string("nobody to take over from: ") + why.what());
            return false;
        }
        (void)running->call("server.hand_over", {{"socket", socket}});
        return true;
    };
    return control::take_over(ask);
}

int serve(const CommandLine& line) {
    const config::Configuration file = line.without ? *line.without : config::load(line.file);
    if (line.action == CommandLine::Action::check) {
        const server::Resolved resolved = server::resolve(file);
        std::cout << server::describe(resolved);
        for (const std::string& warning : resolved.warnings)
            server::log::warning(warning);
        server::log::flush();
        return 0;
    }
    server::log::configure(file.log.level, file.log.format);
    std::vector<control::Attachment::Handed> inherited;
    if (line.take_over)
        inherited = take_over(file);
    std::optional<control::StateStore> store;
    if (file.state_dir) {
        store.emplace(*file.state_dir);
        for (const std::string& what : control::forget_other_boot(*store, control::boot_id()))
            server::log::warning(what);
        for (const std::string& what : control::forget_ended(*store, control::is_built_upon))
            server::log::warning(what);
    }
    const config::Configuration configuration = store ? store->apply_to(file) : file;
    if (store)
        warn_of_records(*store);
    const server::Resolved resolved = server::resolve(configuration);
    for (const std::string& warning : resolved.warnings)
        server::log::warning(warning);
    prepare_for_kernel(configuration);
    server::Server server(configuration, resolved, {.ring = line.ring});
    const control::Control control(server, file, resolved, store ? &*store : nullptr,
                                   std::move(inherited));
    server.run();
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    // A client that has gone must not end the server; nor a hang-up before there is anything to
    // reload.
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
        server::log::flush(); // what was said before stands before
        std::cerr << why.what() << "\n";
        return 1;
    }
}
