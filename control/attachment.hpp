#pragma once

#include "attach/lease.hpp"
#include "attach/nbd_netlink.hpp"
#include "config/config.hpp"
#include "control/jobs.hpp"
#include "server/server.hpp"

#include <asio/awaitable.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace interposed::control {

/// One export as a device of this host's kernel, /dev/nbdX, and what keeps it so: a socket that the
/// kernel has given up, because a request took too long, is replaced once nothing that came through
/// it is still being done. On the server's own thread, which it never lets wait.
/// docs/decisions/0019-attachments.md says why it is so.
class Attachment : public std::enable_shared_from_this<Attachment> {
public:
    enum class State : std::uint8_t {
        waiting, ///< to be attached, or to get another socket: it is tried again
        serving,
        left, ///< somebody else has disconnected the device, or nothing leads to it any more
    };

    struct Status {
        std::string export_name;
        std::string device; ///< empty: none yet
        std::string identifier;
        State state = State::waiting;
        std::string why; ///< it waits
        unsigned connections = 0;
        std::uint32_t block_size = 0; ///< bytes
        std::uint64_t size = 0;       ///< bytes
        bool lease = false;
        std::optional<std::chrono::system_clock::time_point> since; ///< of serving
    };

    /// `wish` has an identifier.
    Attachment(server::Server& server, Jobs& jobs, std::string export_name, config::Attach wish);

    /// Attaches it, or takes it over from a server that has ended. Throws Refusal or what the
    /// kernel says; it may be called again.
    asio::awaitable<void> wire();
    /// Keeps it attached from now on, whether wire() has succeeded yet or not.
    void keep();
    /// Why it is not attached, for status() and once for the log.
    void note(const std::string& why);
    /// Frees the device: no more sockets. Unless `force` is given, only if nobody uses it. Throws
    /// Refusal, and then it stays.
    asio::awaitable<void> detach(bool force);
    /// Its sockets, between two requests, for another server to go on with; nothing is in flight
    /// then.
    struct Handed {
        attach::KernelExport told;                 ///< to the kernel
        std::vector<server::HandedSocket> sockets; ///< none: it was not attached
    };
    /// Throws Refusal where that takes too long, and then it goes on by itself.
    asio::awaitable<Handed> hand_over();
    /// Goes on with them, once wire() is called: before it, in the next server; after hand_over(),
    /// where nobody has taken them.
    void inherit(Handed handed);
    /// The server stops: the device stays, and waits for the next one. Its sessions go on for now.
    void stop();
    /// After stop(): they end, and if the sockets are wanted they stay open, between two requests.
    void end_sessions(bool sockets_wanted);
    /// Those, when the sessions have ended.
    [[nodiscard]] Handed take_sockets();
    /// The export may have another size now.
    asio::awaitable<void> follow_size();

    [[nodiscard]] Status status() const;
    [[nodiscard]] const config::Attach& wish() const { return wish_; }
    [[nodiscard]] const std::string& export_name() const { return export_name_; }

private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds kernel_deadline{30};
    static constexpr std::chrono::milliseconds look_again{5};
    /// Both ends of the sockets that a kernel device is to get.
    struct Sockets;

    asio::awaitable<void> take_lease();
    void drop_lease();
    [[nodiscard]] attach::KernelExport describe() const;
    std::shared_ptr<Sockets> make_sockets(unsigned count);
    asio::awaitable<void> run();
    asio::awaitable<void> pause();
    void serve(server::HandedSocket socket);
    void serve_inherited();
    void session_left(server::Departure how);
    [[nodiscard]] bool is_complete() const { return sessions_ >= wish_.connections; }
    [[nodiscard]] bool has_settled() const;
    [[nodiscard]] bool was_disconnected() const;
    [[nodiscard]] bool is_out_of_path() const;
    [[nodiscard]] std::string why_to_leave() const;
    void leave(const std::string& why);
    /// Not with the timer that run() waits for.
    template <typename Condition>
    asio::awaitable<void> wait_until(Condition condition, Clock::time_point deadline) {
        asio::steady_timer timer(changed_.get_executor());
        while (!condition() && Clock::now() < deadline) {
            timer.expires_after(look_again);
            co_await timer.async_wait(asio::use_awaitable);
        }
    }
    [[nodiscard]] std::string device() const;
    void serves(attach::KernelExport told);

    server::Server& server_;
    Jobs& jobs_;
    const std::string export_name_;
    config::Attach wish_;
    std::optional<attach::Lease> lease_;
    std::unique_ptr<devices::HeldDescriptor> held_; ///< the lease
    std::optional<attach::KernelExport> told_;      ///< to the kernel; absent: nothing yet
    State state_ = State::waiting;
    std::string why_;
    std::optional<std::chrono::system_clock::time_point> since_;
    unsigned sessions_ = 0;
    std::vector<std::weak_ptr<server::Connection>>
        connections_; ///< of these, and some that are gone
    std::optional<Handed> inherited_;
    std::vector<server::HandedSocket> handed_;
    bool goodbye_ = false;
    bool ending_ = false;
    bool running_ = false;   ///< run() is under way
    bool wiring_ = false;    ///< wire() is
    bool detaching_ = false; ///< run() only waits
    unsigned attempts_ = 0;  ///< since it last went well for a while
    Clock::time_point wired_at_{};
    asio::steady_timer changed_; ///< cancelled when there is something to see to
};

} // namespace interposed::control
