#pragma once

#include "control/attachment.hpp"
#include "devices/file_descriptor.hpp"
#include "server/service.hpp"

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

/// How the sockets of attachments get from one server to the next: over a Unix socket of packets
/// (SOCK_SEQPACKET), each with a description, a descriptor (SCM_RIGHTS) and what was received from
/// it and not used. The next server listens; the one that runs connects, sends, and waits for a
/// word that everything has arrived. Before that word it can go on as if nothing had been; it
/// confirms it, and stops. The end of the connection is then the end of its process.
namespace interposed::control {

/// The side of the server that runs. All calls may wait. Not thread-safe.
class HandOver {
public:
    /// `address` is a name in the abstract namespace. Throws std::runtime_error: nobody listens, or
    /// somebody who is neither root nor this server's user.
    explicit HandOver(const std::string& address);
    HandOver(const HandOver&) = delete;
    HandOver& operator=(const HandOver&) = delete;

    /// Sends all of it; the sockets stay open here. Throws std::system_error.
    void send(const std::vector<Attachment::Handed>& all);
    /// Waits for the word, and confirms it. False: the other end has gone.
    bool is_taken();
    /// After that: the process that the service manager is to watch instead of this one. None: the
    /// next server has a manager of its own, or there is none.
    [[nodiscard]] std::optional<pid_t> successor() const { return successor_; }
    /// What ends send() and is_taken() on other threads, for Jobs::run(): they are to be waited
    /// for.
    [[nodiscard]] std::function<bool()> giving_up();
    /// The other end waits for this process to end.
    void keep_until_exit();

private:
    devices::FileDescriptor socket_;
    std::optional<pid_t> successor_;
};

/// What the next server has got.
struct TakenOver {
    std::vector<Attachment::Handed> all;
    std::optional<server::service::Manager> manager; ///< that it goes on under
};

/// The side of the next server, before it claims anything. `ask` tells the server that runs which
/// address to hand over to and returns when it has agreed; false: none runs, and there is nothing
/// to take over. Throws what it throws, and std::runtime_error for what cannot be understood; then
/// the other one goes on. Returns when the other process has ended. That has to be root's, this
/// user's, or that of `user`.
TakenOver take_over(const std::function<bool(const std::string& address)>& ask,
                    std::optional<uid_t> user);

} // namespace interposed::control
