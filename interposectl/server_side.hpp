#pragma once

#include "interposectl/client.hpp"
#include "interposectl/interposition.hpp"
#include "interposectl/undo.hpp"

#include <chrono>
#include <exception>
#include <string>

namespace interposed::ctl {

/// What interposing asks of the server, a call each. All throw Refused and Unreachable.
class ServerSide {
public:
    explicit ServerSide(Client& client) : client_(client) {}

    void create(const Json& definition);
    /// What was left of a way in or out that was broken off where the volume was not marked:
    /// exports of this description. Whether there was any.
    bool drop_leftovers(const std::string& description);
    void remove(const std::string& export_name);
    /// Waits a little for the lease of an attachment that has just ended: io_uring lets go of a
    /// descriptor a second later.
    Json attach(const std::string& export_name, const Json& attach);
    /// Waits a little for those who have just looked at the device, such as udev.
    void detach(const std::string& export_name);
    /// Empty: the server has claimed the disks. Else why it cannot, tried for so long.
    std::string adopt(const std::string& export_name, std::chrono::seconds limit);
    /// Returns when the disks can be claimed by others, or after a few seconds: if they cannot,
    /// loading the table from before will say so.
    void give_back(const std::string& export_name);
    void mark(const Interposition& one);
    void forget_mark(const std::string& export_name);
    /// Everything that interposing has made, of what there is.
    void drop(const std::string& export_name);

private:
    Client& client_;
};

/// The error again, with what could be undone and what not.
[[noreturn]] void throw_undone(const std::exception& why, Undo& undo);

} // namespace interposed::ctl
