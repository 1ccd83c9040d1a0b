#pragma once

#include "control/administration.hpp"
#include "control/attachment.hpp"
#include "control/change_lock.hpp"
#include "control/hand_over.hpp"
#include "server/events.hpp"

#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace interposed::control {

/// Which exports are devices of this host's kernel: those that the configuration or the state_dir
/// says, and those asked for at run time. On the server's own thread.
class Attachments {
public:
    Attachments(server::Server& server, Administration& administration);
    Attachments(const Attachments&) = delete;
    Attachments& operator=(const Attachments&) = delete;

    /// Attaches those that are to be; `then` is called once each has been tried. Those that cannot
    /// be attached yet are tried again.
    void start(std::function<void()> then);
    /// Nothing is attached any more; what is attached waits for the next server, and is served for
    /// as long as other clients are.
    void stop();
    /// After stop(): the kernel is not served any more.
    void end_sessions();
    /// When all of them have ended: the service manager, if there is one, keeps the sockets for the
    /// next process of this service.
    void keep_sockets();
    /// What has changed may concern an attachment.
    void take(const server::ServerEvent& event);

    /// Attaches an export and records it: a server that is started after this one attaches it
    /// again. Throws Refusal, or what the kernel says, and then nothing is recorded.
    asio::awaitable<Attachment::Status> attach(std::string name, config::Attach wish);
    /// Throws Refusal if the device is in use, unless `force` is given.
    asio::awaitable<void> detach(std::string name, bool force);

    /// Gives the sockets of all attachments to the next server, which listens at this address, and
    /// stops this one when that has them (docs/decisions/0019-attachments.md). How many
    /// attachments.
    asio::awaitable<std::size_t> hand_over(std::string socket);
    /// What a server before this one has handed over. Before start().
    void inherit(std::vector<Attachment::Handed> handed);

    struct Listed {
        Attachment::Status status;
        std::optional<config::Interposition> interposed;
    };
    [[nodiscard]] std::vector<Listed> list() const;

private:
    using Pointer = std::shared_ptr<Attachment>;

    Pointer add(const std::string& name, config::Attach wish);
    asio::awaitable<void> start_all(std::function<void()> then);
    asio::awaitable<void> first_attempt(Pointer which);
    asio::awaitable<void> settle();
    asio::awaitable<void> follow_size(std::string name);
    asio::awaitable<void> stay_resident();
    [[nodiscard]] std::string choose_device(const config::Attach& wish) const;
    asio::awaitable<void> wait_for_successor(std::shared_ptr<HandOver> to,
                                             std::vector<Pointer> from,
                                             std::shared_ptr<std::vector<Attachment::Handed>> all);
    void go_on(const std::vector<Pointer>& which, std::vector<Attachment::Handed>& with);
    void check_going_on() const;
    void check_free(const std::string& name, const config::Attach& wish) const;
    void spawn(asio::awaitable<void> work);

    server::Server& server_;
    Administration& administration_;
    Jobs jobs_;
    ChangeLock changing_;                ///< of what is attached; before that of the administration
    std::map<std::string, Pointer> all_; ///< by export
    bool resident_ = false;
    bool stopping_ = false;
    bool handing_over_ = false;
    std::vector<Attachment::Handed> inherited_;
};

/// What an attachment is called that was given no name: from the export's, with what the kernel's
/// interface and a file's name could not have replaced. Pure.
std::string identifier_for(const std::string& export_name);

} // namespace interposed::control
