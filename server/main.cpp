#include "attach/lease.hpp"
#include "attach/residence.hpp"
#include "control/boot.hpp"
#include "control/control.hpp"
#include "control/hand_over.hpp"
#include "control/kept_sockets.hpp"
#include "control/state_store.hpp"
#include "interposectl/client.hpp"
#include "interposectl/errors.hpp"
#include "server/command_line.hpp"
#include "server/log.hpp"
#include "server/passed_sockets.hpp"
#include "server/privileges.hpp"
#include "server/resolve.hpp"
#include "server/server.hpp"
#include "server/service.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <sys/resource.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

using namespace interposed;
using server::CommandLine;
namespace privileges = server::privileges;
using MaybeAccount = std::optional<privileges::Account>;

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

bool attaches(const config::Configuration& configuration) {
    return std::any_of(configuration.exports.begin(), configuration.exports.end(),
                       [](const config::Export& each) { return each.attach.has_value(); });
}

/// What threads inherit: so it comes before them, and before it is known whether something will be
/// attached at run time.
void prepare_process(const config::Configuration& file) {
    privileges::seal();
    std::string failed;
    if (attaches(file) || file.control || file.state_dir)
        failed = attach::become_io_flusher();
    privileges::give_up_starting_rights();
    if (attaches(file) && !failed.empty())
        server::log::warning("serving this host's kernel without what protects it from waiting for "
                             "itself when memory is short: " +
                             failed);
}

/// What is passed once cannot be taken over.
void check_passed(const config::Configuration& file, const std::vector<server::Passed>& passed) {
    for (const config::Listener& wish : file.listen) {
        const auto is_meant = [&](const server::Passed& each) {
            return server::is_meant(each.name, wish, file.listen);
        };
        if (wish.systemd && std::none_of(passed.begin(), passed.end(), is_meant))
            throw std::runtime_error(file.file +
                                     ": --take-over wants listeners that it can open "
                                     "itself, found \"" +
                                     to_string(wish) + "\": restart the service instead");
    }
}

/// Afterwards no other server runs on this configuration.
control::TakenOver take_over(const config::Configuration& file, const MaybeAccount& account) {
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
    auto taken = control::take_over(ask, account ? std::optional(account->uid) : std::nullopt);
    if (taken.manager)
        server::service::belong_to(*taken.manager);
    return taken;
}

std::optional<control::StateStore> open_store(const config::Configuration& file,
                                              const MaybeAccount& account) {
    std::optional<control::StateStore> store;
    if (!file.state_dir)
        return store;
    store.emplace(*file.state_dir);
    for (const std::string& what : control::forget_other_boot(*store, control::boot_id()))
        server::log::warning(what);
    for (const std::string& what : control::forget_ended(*store, control::is_built_upon))
        server::log::warning(what);
    if (account && ::geteuid() == 0)
        store->give_to(account->uid, account->gid);
    warn_of_records(*store);
    return store;
}

/// Everything is open by now that only root may open.
void become(const config::Configuration& configuration, const privileges::Account& account) {
    const bool attach = configuration.run_as->attach || attaches(configuration);
    if (::geteuid() == 0) {
        for (const config::Listener& listener : configuration.listen) {
            if (listener.unix_socket)
                privileges::give_socket(*listener.unix_socket, account);
        }
        if (configuration.control)
            privileges::give_socket(configuration.control->socket, account);
        if (attach) {
            attach::Lease::give_folder(account.uid, account.gid);
            attach::prepare_to_stay_resident();
        }
    }
    privileges::become(account, {.attach = attach});
    server::log::info("running as user \"" + account.user + "\"");
    if (::access(configuration.file.c_str(), R_OK) != 0)
        server::log::warning(configuration.file + ": want it readable for user \"" + account.user +
                             "\", or it cannot be reloaded");
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
    const MaybeAccount account =
        file.run_as ? std::optional(privileges::look_up(*file.run_as)) : std::nullopt;
    prepare_process(file);
    auto passed = server::take_passed();
    control::KeptSockets kept(passed);
    control::TakenOver taken;
    if (line.take_over) {
        check_passed(file, passed);
        taken = take_over(file, account);
    }
    auto store = open_store(file, account);
    const config::Configuration configuration = store ? store->apply_to(file) : file;
    const server::Resolved resolved = server::resolve(configuration);
    for (const std::string& warning : resolved.warnings)
        server::log::warning(warning);
    server::Server server(configuration, resolved,
                          {.loops = 0, .ring = line.ring, .passed = std::move(passed)});
    control::Control control(server, file, resolved, store ? &*store : nullptr);
    if (account)
        become(configuration, *account);
    for (auto& each : kept.take())
        taken.all.push_back(std::move(each));
    control.inherit(std::move(taken.all));
    server.run();
    control.leave_to_next();
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
