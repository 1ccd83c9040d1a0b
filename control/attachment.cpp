#include "control/attachment.hpp"

#include "attach/kernel_device.hpp"
#include "control/boot.hpp"
#include "control/exports_by_name.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <cerrno>
#include <sys/socket.h>
#include <system_error>
#include <thread>

namespace interposed::control {

namespace log = server::log;
using attach::KernelExport;
using config::in_quotes;

namespace {

/// The kernel gives up a killed server's, or our own last one, a little after us: a ring's file
/// table is put away up to a second later on Linux 6.1.
constexpr std::chrono::seconds lease_lingers{3};
constexpr std::chrono::milliseconds lease_step{10};
constexpr std::chrono::milliseconds first_pause{20};
constexpr std::chrono::milliseconds longest_pause{500};
/// Sockets that lasted so long were taken; those that the kernel closes at once were not.
constexpr std::chrono::seconds steady_after{3};
/// Where some sockets serve and the kernel takes no more, these are all that it wants.
constexpr unsigned enough_attempts = 12;
/// The requests of a write that the kernel may send ahead.
constexpr int send_buffer = 4 << 20;
constexpr std::uint32_t smallest_block = 512;
constexpr std::uint32_t largest_block = 4096; // nbd takes no block above the page

/// True as long as this lives.
class While {
public:
    explicit While(bool& flag) : flag_(flag) { flag_ = true; }
    ~While() { flag_ = false; }
    While(const While&) = delete;
    While& operator=(const While&) = delete;

private:
    bool& flag_;
};

Refusal refused(const std::string& export_name, const std::string& why) {
    return {RefusalKind::refused, export_text(export_name) + ": " + why};
}

/// On a thread that may wait. The device that was attached under the identifier gets the sockets;
/// where there is none, the one that is wished for, if it is free. What was told in the end.
KernelExport tell_kernel(KernelExport what, const std::string& wish, std::span<const int> sockets) {
    attach::NbdNetlink kernel;
    if (const auto ours = attach::find_attached(what.identifier)) {
        what.index = ours->index;
        what.block_size = ours->block_size; // whoever has opened it relies on that
        if (what.size < ours->size)
            throw Refusal(
                RefusalKind::refused,
                attach::path_of(ours->index) + ": want at least the " + std::to_string(ours->size) +
                    " bytes that it is attached with, found " + std::to_string(what.size));
        kernel.reconfigure(what, sockets);
        return what;
    }
    what.index = attach::index_of(wish).value_or(0);
    if (wish == "auto")
        what.index = attach::find_free();
    if (const auto found = attach::look_at(what.index); found && found->connected)
        throw Refusal(
            RefusalKind::device,
            attach::path_of(what.index) + ": want it free, found it attached by " + found->owner +
                (found->identifier.empty() ? "" : ", as " + in_quotes(found->identifier)));
    kernel.connect(what, sockets);
    return what;
}

} // namespace

struct Attachment::Sockets {
    std::vector<devices::FileDescriptor> kernels;
    std::vector<devices::FileDescriptor> ours;

    [[nodiscard]] std::vector<int> numbers() const {
        std::vector<int> all;
        for (const auto& each : kernels)
            all.push_back(each.get());
        return all;
    }
};

Attachment::Attachment(server::Server& server, Jobs& jobs, std::string export_name,
                       config::Attach wish)
    : server_(server), jobs_(jobs), export_name_(std::move(export_name)), wish_(std::move(wish)),
      changed_(server.context()) {}

Attachment::Status Attachment::status() const {
    return {.export_name = export_name_,
            .device = told_ ? device() : "",
            .identifier = wish_.identifier,
            .state = state_,
            .why = why_,
            .connections = sessions_,
            .block_size = told_ ? told_->block_size : 0,
            .size = told_ ? told_->size : 0,
            .lease = lease_.has_value(),
            .since = since_};
}

asio::awaitable<void> Attachment::take_lease() {
    if (lease_)
        co_return;
    auto work = [identifier = wish_.identifier] {
        auto taken = attach::Lease::take(identifier);
        const auto deadline = Clock::now() + lease_lingers;
        while (!taken && Clock::now() < deadline) {
            std::this_thread::sleep_for(lease_step);
            taken = attach::Lease::take(identifier);
        }
        if (!taken) {
            const std::string holder = attach::Lease::holder_of(identifier);
            throw Refusal(
                RefusalKind::device,
                attach::Lease::path_of(identifier) +
                    ": want the lease of the attachment, found it held by another server" +
                    (holder.empty() ? "" : " (" + holder + ")"));
        }
        return std::move(*taken);
    };
    auto taken =
        co_await jobs_.run("taking the lease", std::move(work), Clock::now() + kernel_deadline);
    lease_.emplace(std::move(taken));
    held_ = server_.hold_with_requests(lease_->fd());
}

KernelExport Attachment::describe() const {
    const auto live = server_.exports().find(export_name_);
    if (!live)
        throw Refusal(RefusalKind::not_found, "no export is called " + in_quotes(export_name_));
    const auto now = live->now();
    const std::uint32_t least = now->layer().limits().minimum_block;
    const std::uint32_t block = wish_.block_size.value_or(std::max(least, smallest_block));
    if (block < least || block % least != 0 || block > largest_block)
        throw refused(export_name_, "want a block size from " + std::to_string(least) + " to " +
                                        std::to_string(largest_block) + " bytes, found " +
                                        std::to_string(block));
    return {.index = told_ ? told_->index : 0,
            .size = now->size() / block * block,
            .block_size = block,
            .flags = now->flags(protocol::Framing::simple, false, true),
            .timeout_s = wish_.timeout_s,
            .dead_conn_timeout_s = wish_.dead_conn_timeout_s,
            .identifier = wish_.identifier};
}

std::shared_ptr<Attachment::Sockets> Attachment::make_sockets(unsigned count) {
    auto made = std::make_shared<Sockets>();
    for (unsigned i = 0; i < count; ++i) {
        std::array<int, 2> pair{};
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
            throw std::system_error(errno, std::generic_category(), "socketpair");
        made->kernels.emplace_back(pair[0]);
        made->ours.emplace_back(pair[1]);
        if (::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &send_buffer, sizeof send_buffer) !=
            0)
            (void)::setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
    }
    return made;
}

/// Not while there are requests of its own in the kernel: they are what it is for.
void Attachment::drop_lease() {
    if (sessions_ > 0)
        return;
    held_.reset();
    lease_.reset();
}

asio::awaitable<void> Attachment::wire() {
    const auto self = shared_from_this();
    const While wiring(wiring_);
    co_await take_lease();
    if (ending_ || detaching_)
        throw refused(export_name_, "it is being detached, or handed over");
    serve_inherited();
    if (is_complete())
        co_return;
    if (const std::string why = why_to_leave(); !why.empty())
        throw refused(export_name_, why);
    const KernelExport what = describe();
    const auto sockets = make_sockets(wish_.connections - sessions_);
    for (auto& ours : sockets->ours)
        serve({.fd = std::move(ours), .unread = {}});
    auto work = [what, wish = wish_.device, sockets] {
        KernelExport told = tell_kernel(what, wish, sockets->numbers());
        sockets->kernels.clear(); // the kernel has references of its own, or wants none
        return told;
    };
    wired_at_ = Clock::now();
    auto told =
        co_await jobs_.run("telling the kernel", std::move(work), Clock::now() + kernel_deadline);
    serves(std::move(told));
    if (attempts_ <= 1) // else the kernel has closed the one before at once, and may go on so
        log::info(export_text(export_name_) + ": attached to " + device() + " as " +
                      in_quotes(wish_.identifier),
                  {.export_name = export_name_});
}

void Attachment::serves(KernelExport told) {
    told_ = std::move(told);
    if (!since_)
        since_ = std::chrono::system_clock::now();
    state_ = State::serving;
    why_.clear();
}

std::string Attachment::device() const {
    return told_ ? attach::path_of(told_->index) : wish_.device;
}

void Attachment::serve(server::HandedSocket socket) {
    // It lives as long as its sessions: the lease does.
    auto left = [self = shared_from_this()](server::Departure how) {
        self->session_left(std::move(how));
    };
    const std::string name = "kernel, " + device();
    std::erase_if(connections_, [](const auto& each) { return each.expired(); });
    connections_.push_back(server_.serve_kernel(std::move(socket),
                                                {.name = name, .client = "kernel", .address = {}},
                                                export_name_, std::move(left)));
    ++sessions_;
}

void Attachment::inherit(Handed handed) {
    inherited_ = std::move(handed);
    ending_ = false;
}

void Attachment::serve_inherited() {
    if (!inherited_)
        return;
    Handed handed = std::move(*inherited_);
    inherited_.reset(); // what is not served is closed, and the kernel told so
    if (handed.sockets.empty())
        return;
    if (const KernelExport now = describe(); now.size < handed.told.size)
        throw refused(export_name_, "want at least the " + std::to_string(handed.told.size) +
                                        " bytes that the kernel was told of, found " +
                                        std::to_string(now.size));
    serves(std::move(handed.told));
    for (auto& socket : handed.sockets)
        serve(std::move(socket));
    log::info(export_text(export_name_) + ": goes on with " + std::to_string(sessions_) +
                  " connections to " + device(),
              {.export_name = export_name_});
}

asio::awaitable<Attachment::Handed> Attachment::hand_over() {
    const auto self = shared_from_this();
    ending_ = true;
    changed_.cancel();
    co_await wait_until([this] { return !wiring_; }, Clock::time_point::max());
    for (const auto& each : connections_) {
        if (const auto connection = each.lock())
            connection->hand_over();
    }
    co_await wait_until([this] { return sessions_ == 0; }, Clock::now() + kernel_deadline);
    if (sessions_ > 0) { // those that end later are served again: session_left()
        ending_ = false;
        for (auto& socket : std::exchange(handed_, {}))
            serve(std::move(socket));
        keep();
        throw Refusal(RefusalKind::timeout,
                      export_text(export_name_) +
                          ": its requests have not come to an end in time; it goes on");
    }
    co_return take_sockets();
}

void Attachment::keep() {
    if (std::exchange(running_, true))
        return;
    auto kept = [](std::shared_ptr<Attachment> self) -> asio::awaitable<void> {
        try {
            co_await self->run();
        } catch (const std::exception& why) {
            log::error(export_text(self->export_name_) + ": not kept attached: " + why.what(),
                       {.export_name = self->export_name_});
        }
        self->running_ = false;
    };
    asio::co_spawn(server_.context(), kept(shared_from_this()), asio::detached);
}

/// Until it has been detached, or the server stops.
asio::awaitable<void> Attachment::run() {
    while (!ending_) {
        if (detaching_ || is_complete() || has_settled()) {
            co_await pause();
            continue;
        }
        if (const std::string why = why_to_leave(); !why.empty()) {
            leave(why);
            co_return;
        }
        if (Clock::now() - wired_at_ > steady_after)
            attempts_ = 0;
        if (attempts_++ > 0)
            co_await pause();
        if (attempts_ == enough_attempts && state_ == State::serving)
            note("the kernel takes no sockets: another server may have given it all it wants");
        if (ending_ || detaching_ || is_complete())
            continue;
        std::string why;
        try {
            co_await wire();
        } catch (const std::exception& failed) {
            why = failed.what();
        }
        if (!why.empty())
            note(why);
    }
}

/// As long as there is nothing to do, or before the next attempt.
asio::awaitable<void> Attachment::pause() {
    if (detaching_ || is_complete() || has_settled())
        changed_.expires_at(Clock::time_point::max());
    else
        changed_.expires_after(
            std::min(longest_pause, first_pause * (1U << std::min(attempts_, 5U))));
    std::error_code ignored;
    co_await changed_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

bool Attachment::has_settled() const {
    return sessions_ > 0 && attempts_ > enough_attempts;
}

/// It was attached, and is not any more: by `nbd-client -d`, say. That is to be respected.
bool Attachment::was_disconnected() const {
    return goodbye_ || (told_ && !attach::is_connected(told_->index));
}

/// The volume in whose path it was has been given another table while nobody served it.
bool Attachment::is_out_of_path() const {
    const auto live = server_.exports().find(export_name_);
    if (!live || sessions_ > 0)
        return false;
    const auto& interposed = live->now()->definition->source.interposed;
    return interposed && interposed->state == "in" && !is_built_upon(wish_.device);
}

std::string Attachment::why_to_leave() const {
    if (was_disconnected())
        return "somebody has disconnected " + device();
    return is_out_of_path() ? "its volume does not lead to " + device() + " any more" : "";
}

void Attachment::leave(const std::string& why) {
    state_ = State::left;
    drop_lease();
    log::warning(export_text(export_name_) + ": " + why +
                     "; it is not attached again before it is asked for",
                 {.export_name = export_name_});
}

void Attachment::note(const std::string& why) {
    if (sessions_ == 0)
        state_ = State::waiting;
    if (std::exchange(why_, why) != why)
        log::warning(export_text(export_name_) + ": not attached, tried again: " + why,
                     {.export_name = export_name_});
}

void Attachment::session_left(server::Departure how) {
    --sessions_;
    goodbye_ = goodbye_ || how.goodbye;
    if (how.handed && ending_)
        handed_.push_back(std::move(*how.handed));
    else if (how.handed) // nobody wants it any more
        serve(std::move(*how.handed));
    if (state_ == State::left)
        drop_lease();
    changed_.cancel();
}

void Attachment::stop() {
    ending_ = true;
    changed_.cancel();
    if (state_ == State::serving)
        log::info(export_text(export_name_) + ": stays attached to " + device() +
                      ": its requests wait " + std::to_string(wish_.dead_conn_timeout_s) +
                      " s for the next server",
                  {.export_name = export_name_});
}

void Attachment::end_sessions(bool sockets_wanted) {
    for (const auto& each : connections_) {
        if (const auto connection = each.lock())
            sockets_wanted ? connection->hand_over() : connection->stop();
    }
}

Attachment::Handed Attachment::take_sockets() {
    return {.told = told_.value_or(KernelExport{}), .sockets = std::exchange(handed_, {})};
}

asio::awaitable<void> Attachment::follow_size() {
    if (!told_ || state_ != State::serving)
        co_return;
    const auto self = shared_from_this();
    KernelExport what = describe();
    what.block_size = told_->block_size;
    if (what.size == told_->size)
        co_return;
    auto work = [what] { attach::NbdNetlink().reconfigure(what, {}); };
    co_await jobs_.run("telling the kernel", std::move(work), Clock::now() + kernel_deadline);
    told_ = what;
    log::info(export_text(export_name_) + ": " + device() + " has " + std::to_string(what.size) +
                  " bytes now",
              {.export_name = export_name_});
}

} // namespace interposed::control
