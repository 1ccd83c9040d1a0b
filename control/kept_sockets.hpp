#pragma once

#include "control/attachment.hpp"
#include "server/passed_sockets.hpp"

#include <string>
#include <vector>

/// How the sockets of attachments get from one process of a service to the next: the service
/// manager keeps them meanwhile (FDSTORE=1 in sd_notify(3)), and with them, in a file in memory,
/// what the kernel was told of each and what was received from it and not used. A socket that is
/// kept is one between two requests; what is kept is good once: whoever reads on moves on from it.
/// docs/decisions/0021-least-privilege.md says why it is so.
namespace interposed::control {

/// Has the manager keep them. They stay open here. Throws std::runtime_error, and then nothing of
/// it is usable.
void keep_sockets(const std::vector<Attachment::Handed>& all);

/// What the manager has kept.
class KeptSockets {
public:
    KeptSockets() = default;
    /// Takes what is of this kind out of what was passed. Where something is missing or cannot be
    /// understood the log says so, and the sockets are closed for everybody.
    explicit KeptSockets(std::vector<server::Passed>& passed);

    /// Has the manager forget them: before anything is read from the sockets, and not before a
    /// start that can still fail, since the next one would want them. Where it is not certain that
    /// it has, they are closed for everybody, and there is nothing.
    std::vector<Attachment::Handed> take();

    [[nodiscard]] bool empty() const { return all_.empty(); }

private:
    void understand(const server::Passed& description, std::vector<server::Passed>& sockets);

    std::vector<Attachment::Handed> all_;
    std::vector<std::string> names_; ///< that the manager has
};

} // namespace interposed::control
