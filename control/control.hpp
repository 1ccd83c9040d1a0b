#pragma once

#include "control/administration.hpp"
#include "control/attachments.hpp"
#include "control/event_hub.hpp"
#include "control/methods.hpp"
#include "control/metrics_endpoint.hpp"
#include "control/socket.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace interposed::control {

/// All that watches over a server and changes it while it runs: the control socket, metrics, and
/// what SIGHUP does. To be made before the server runs, and gone before it is.
class Control {
public:
    /// Binds what is to be bound. `file` is the configuration without what `store` has recorded.
    /// Throws std::runtime_error that names what cannot be had.
    Control(server::Server& server, const config::Configuration& file,
            const server::Resolved& resolved, StateStore* store);
    ~Control();
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    /// What a server before this one has handed over. Before the server runs.
    void inherit(std::vector<Attachment::Handed> handed);
    /// When the server has run: what is left to be done for the next process of this service.
    void leave_to_next();

private:
    void reload();

    server::Server& server_;
    EventHub events_;
    Administration administration_;
    Attachments attachments_;
    Methods methods_;
    std::optional<ControlSocket> socket_;
    std::optional<MetricsEndpoint> metrics_;
};

} // namespace interposed::control
