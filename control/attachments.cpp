#include "control/attachments.hpp"

#include "attach/kernel_device.hpp"
#include "attach/residence.hpp"
#include "control/exports_by_name.hpp"
#include "control/kept_sockets.hpp"
#include "server/log.hpp"
#include "server/service.hpp"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <functional>
#include <set>
#include <thread>
#include <unistd.h>
#include <utility>

namespace interposed::control {

namespace log = server::log;
using server::EventKind;

namespace {

/// For the clients of the network, once the next server has the kernel's sockets.
constexpr std::chrono::seconds patience_with_others{2};

/// FNV-1a: names that differ only in what was replaced must not become one.
std::uint32_t hash_of(const std::string& text) {
    std::uint32_t hash = 2166136261U;
    for (const char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash;
}

} // namespace

std::string identifier_for(const std::string& export_name) {
    constexpr std::size_t longest = 40;
    std::string safe;
    for (const char c : export_name.substr(0, longest)) {
        const auto code = static_cast<unsigned char>(c);
        const bool kept = std::isalnum(code) != 0 || c == '-' || c == '_' || c == '.';
        safe += kept && code < 0x80 ? c : '_';
    }
    if (safe == export_name && !safe.empty())
        return "interposed." + safe;
    std::array<char, 16> hex{};
    std::snprintf(hex.data(), hex.size(), "%08x", hash_of(export_name));
    return "interposed." + safe + "-" + hex.data();
}

Attachments::Attachments(server::Server& server, Administration& administration)
    : server_(server), administration_(administration), jobs_(server.context()),
      changing_(server.context()) {}

/// Nobody waits for the end of it; a refusal is for the log.
void Attachments::spawn(asio::awaitable<void> work) {
    auto told = [](asio::awaitable<void> what) -> asio::awaitable<void> {
        try {
            co_await std::move(what);
        } catch (const std::exception& why) {
            log::warning(why.what());
        }
    };
    asio::co_spawn(server_.context(), told(std::move(work)), asio::detached);
}

Attachments::Pointer Attachments::add(const std::string& name, config::Attach wish) {
    if (wish.identifier.empty())
        wish.identifier = identifier_for(name);
    auto made = std::make_shared<Attachment>(server_, jobs_, name, std::move(wish));
    const auto handed =
        std::find_if(inherited_.begin(), inherited_.end(), [&made](const auto& each) {
            return each.told.identifier == made->wish().identifier;
        });
    if (handed != inherited_.end()) {
        made->inherit(std::move(*handed));
        inherited_.erase(handed);
    }
    all_[name] = made;
    return made;
}

void Attachments::start(std::function<void()> then) {
    spawn(start_all(std::move(then)));
}

asio::awaitable<void> Attachments::start_all(std::function<void()> then) {
    co_await settle();
    if (!inherited_.empty())
        log::warning("of the server before this one " + std::to_string(inherited_.size()) +
                     " attachments are left that no export has: this host's kernel has nobody for "
                     "them");
    inherited_.clear();
    then();
}

/// Whatever comes of it, it is kept trying.
asio::awaitable<void> Attachments::first_attempt(Pointer which) {
    try {
        co_await which->wire();
    } catch (const std::exception& why) {
        which->note(why.what());
    }
    if (!stopping_)
        which->keep();
}

/// What is attached becomes what the exports say.
asio::awaitable<void> Attachments::settle() {
    const auto changing = co_await changing_.take("settling attachments", std::string());
    if (stopping_ || handing_over_)
        co_return;
    std::vector<Pointer> added;
    for (const auto& live : server_.exports().all()) {
        const auto now = live->now();
        const auto& wish = now->definition->source.attach;
        const auto there = all_.find(now->name);
        if (wish && there == all_.end())
            added.push_back(add(now->name, *wish));
    }
    std::vector<Pointer> removed;
    for (const auto& [name, each] : all_) {
        const auto live = server_.exports().find(name);
        if (!live || !live->now()->definition->source.attach)
            removed.push_back(each);
    }
    for (const Pointer& each : removed) {
        try {
            co_await each->detach(false);
            all_.erase(each->export_name());
        } catch (const std::exception& why) {
            log::warning(export_text(each->export_name()) + ": still attached: " + why.what(),
                         {.export_name = each->export_name()});
        }
    }
    if (!added.empty())
        co_await stay_resident();
    for (const Pointer& each : added) {
        if (!stopping_)
            co_await first_attempt(each);
    }
}

/// The kernel's write-back may go through this process from now on.
asio::awaitable<void> Attachments::stay_resident() {
    if (std::exchange(resident_, true))
        co_return;
    auto work = [] { return attach::stay_resident(); };
    const auto failed = co_await jobs_.run("locking memory", std::move(work),
                                           Clock::now() + Administration::open_deadline);
    for (const std::string& what : failed)
        log::warning("serving this host's kernel without what protects it from waiting for itself "
                     "when memory is short: " +
                     what);
}

void Attachments::inherit(std::vector<Attachment::Handed> handed) {
    inherited_ = std::move(handed);
}

/// Everything or nothing: as long as the next server has not said that it goes on, this one does.
asio::awaitable<std::size_t> Attachments::hand_over(std::string socket) {
    const auto changing = co_await changing_.take("hand-over", std::string());
    check_going_on();
    for (const auto& live : server_.exports().all()) {
        if (live->held() && all_.contains(live->now()->name))
            throw Refusal(RefusalKind::refused, export_text(live->now()->name) +
                                                    " is attached and suspended: resume it first");
    }
    auto open = [socket] { return std::make_shared<HandOver>(socket); };
    const auto to = co_await jobs_.run("reaching the next server", std::move(open),
                                       Clock::now() + Administration::close_deadline);
    check_going_on();
    handing_over_ = true;
    auto all = std::make_shared<std::vector<Attachment::Handed>>();
    std::vector<Pointer> from;
    for (const auto& [name, each] : all_) {
        if (each->status().state != Attachment::State::left)
            from.push_back(each);
    }
    std::size_t count = 0;
    bool sent = false;
    try {
        for (const Pointer& each : from) {
            auto handed = co_await each->hand_over();
            all->push_back(std::move(handed));
        }
        count = all->size();
        auto send = [to, all] { to->send(*all); };
        co_await jobs_.run("handing over", std::move(send),
                           Clock::now() + Administration::close_deadline, to->giving_up());
        sent = true;
    } catch (const std::exception& why) {
        log::error(std::string("not handed over, going on: ") + why.what());
    }
    if (!sent) {
        go_on(from, *all);
        throw Refusal(RefusalKind::failed, "the next server has not taken what it was handed");
    }
    spawn(wait_for_successor(to, from, all));
    co_return count;
}

/// After the answer: it is the next server's turn to say that it has everything.
asio::awaitable<void>
Attachments::wait_for_successor(std::shared_ptr<HandOver> to, std::vector<Pointer> from,
                                std::shared_ptr<std::vector<Attachment::Handed>> all) {
    bool taken = false;
    try {
        auto wait = [to] { return to->is_taken(); };
        taken = co_await jobs_.run("handing over", std::move(wait),
                                   Clock::now() + Administration::open_deadline, to->giving_up());
    } catch (const std::exception& why) {
        log::error(why.what());
    }
    if (!taken) {
        log::error("the next server has gone before it took over; going on");
        go_on(from, *all);
        co_return;
    }
    log::info("handed over to the next server");
    if (const auto successor = to->successor())
        server::service::leave_to(*successor);
    all->clear();
    to->keep_until_exit();
    ::kill(::getpid(), SIGTERM);
    // The next server waits for the end of this process, and the kernel for the next server. What
    // is left in the kernel then has the claims and the leases with it. A thread, for a timer would
    // be waited for by a server that has nothing else to do.
    std::thread([] {
        std::this_thread::sleep_for(patience_with_others);
        ::_exit(0);
    }).detach();
}

void Attachments::check_going_on() const {
    if (stopping_ || handing_over_)
        throw Refusal(RefusalKind::refused, "the server is stopping, or handing over");
}

void Attachments::go_on(const std::vector<Pointer>& which, std::vector<Attachment::Handed>& with) {
    handing_over_ = false;
    for (std::size_t i = 0; i < with.size(); ++i) { // the others never stopped
        which[i]->inherit(std::move(with[i]));
        spawn(first_attempt(which[i]));
    }
    with.clear();
}

void Attachments::stop() {
    stopping_ = true;
    for (const auto& [name, each] : all_)
        each->stop();
}

void Attachments::end_sessions() {
    for (const auto& [name, each] : all_)
        each->end_sessions(server::service::manager().has_value());
}

void Attachments::keep_sockets() {
    std::vector<Attachment::Handed> kept;
    for (const auto& [name, each] : all_)
        kept.push_back(each->take_sockets());
    try {
        control::keep_sockets(kept);
    } catch (const std::exception& why) {
        log::warning(why.what());
    }
}

void Attachments::take(const server::ServerEvent& event) {
    if (stopping_)
        return;
    if (event.kind == EventKind::reloaded)
        spawn(settle());
    else if (event.kind == EventKind::swapped)
        spawn(follow_size(event.export_name));
}

asio::awaitable<void> Attachments::follow_size(std::string name) {
    const auto found = all_.find(name);
    if (found == all_.end())
        co_return;
    const Pointer which = found->second;
    co_await which->follow_size();
}

void Attachments::check_free(const std::string& name, const config::Attach& wish) const {
    for (const auto& [other, each] : all_) {
        const auto status = each->status();
        if (status.state == Attachment::State::left)
            continue;
        if (other == name)
            throw Refusal(RefusalKind::refused,
                          export_text(name) + " is attached already, to " +
                              (status.device.empty() ? each->wish().device : status.device));
        if (each->wish().identifier == wish.identifier)
            throw Refusal(RefusalKind::refused, "the identifier \"" + wish.identifier +
                                                    "\" is that of " + export_text(other));
        if (wish.device == status.device ||
            (wish.device == each->wish().device && wish.device != "auto"))
            throw Refusal(RefusalKind::refused,
                          wish.device + " is the device of " + export_text(other));
    }
}

std::string Attachments::choose_device(const config::Attach& wish) const {
    if (wish.device != "auto")
        return wish.device;
    if (const auto ours = attach::find_attached(wish.identifier))
        return attach::path_of(ours->index);
    std::set<unsigned> taken;
    for (const auto& [name, each] : all_) {
        if (const auto index = attach::index_of(each->wish().device))
            taken.insert(*index);
    }
    return attach::path_of(attach::find_free(taken));
}

asio::awaitable<Attachment::Status> Attachments::attach(std::string name, config::Attach wish) {
    const auto changing = co_await changing_.take("attach", name);
    check_going_on();
    const auto before =
        administration_.find_to_change(name)->now()->definition->source.attach; // a copy
    if (wish.identifier.empty())
        wish.identifier = identifier_for(name);
    check_free(name, wish);
    wish.device = choose_device(wish); // recorded as what it has become
    const Pointer which = add(name, wish);
    try {
        co_await stay_resident();
        std::function<void(config::Export&)> with = [wish](config::Export& of) {
            of.attach = wish;
        };
        co_await administration_.change_terms("attach", name, std::move(with));
        std::exception_ptr failed;
        try {
            co_await which->wire();
        } catch (...) {
            failed = std::current_exception();
        }
        if (failed) {
            std::function<void(config::Export&)> without = [before](config::Export& of) {
                of.attach = before;
            };
            co_await administration_.change_terms("attach", name, std::move(without));
            std::rethrow_exception(failed);
        }
    } catch (...) {
        which->stop();
        all_.erase(name);
        throw;
    }
    if (!stopping_)
        which->keep();
    co_return which->status();
}

asio::awaitable<void> Attachments::detach(std::string name, bool force) {
    const auto changing = co_await changing_.take("detach", name);
    check_going_on();
    const auto live = administration_.find_to_change(name);
    const auto found = all_.find(name);
    if (found == all_.end())
        throw Refusal(RefusalKind::not_found, export_text(name) + " is not attached");
    const Pointer which = found->second;
    co_await which->detach(force);
    all_.erase(name);
    std::function<void(config::Export&)> without = [](config::Export& of) { of.attach.reset(); };
    co_await administration_.change_terms("detach", name, std::move(without));
}

std::vector<Attachments::Listed> Attachments::list() const {
    std::vector<Listed> listed;
    for (const auto& [name, each] : all_) {
        Listed one{.status = each->status(), .interposed = {}};
        if (const auto live = server_.exports().find(name))
            one.interposed = live->now()->definition->source.interposed;
        listed.push_back(std::move(one));
    }
    return listed;
}

} // namespace interposed::control
