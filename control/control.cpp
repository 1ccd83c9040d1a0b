#include "control/control.hpp"

#include "server/log.hpp"
#include "server/service.hpp"

#include <asio/co_spawn.hpp>
#include <utility>

namespace interposed::control {

namespace log = server::log;

Control::Control(server::Server& server, const config::Configuration& file,
                 const server::Resolved& resolved, StateStore* store)
    : server_(server), events_(server.context()), administration_(server, file, resolved, store),
      attachments_(server, administration_), methods_(administration_, attachments_, events_) {
    administration_.load_recorded();
    server_.on_start([this](server::Server::Then then) { attachments_.start(std::move(then)); });
    server_.on_event([this](const server::ServerEvent& event) {
        attachments_.take(event);
        events_.take(event);
    });
    server_.on_hangup([this] { reload(); });
    server_.on_stop([this] {
        attachments_.stop();
        events_.close();
        if (socket_)
            socket_->close();
    });
    server_.on_stop_of_kernel([this] { attachments_.end_sessions(); });
    if (file.control)
        socket_.emplace(server_.context(), *file.control, methods_).start();
    if (file.metrics) {
        metrics_.emplace(file.metrics->listen, [&server] { return server.report(); });
        log::info("metrics at " + metrics_->uri());
    }
}

Control::~Control() {
    metrics_.reset();
    server_.on_start({});
    server_.on_event({});
    server_.on_hangup({});
    server_.on_stop({});
    server_.on_stop_of_kernel({});
}

void Control::inherit(std::vector<Attachment::Handed> handed) {
    attachments_.inherit(std::move(handed));
}

void Control::leave_to_next() {
    attachments_.keep_sockets();
}

/// As the signal asks for it: nobody is disconnected, and nothing that was changed at run time is
/// forgotten, without being told so.
void Control::reload() {
    server::service::reloading();
    auto ended = [this](std::exception_ptr failed) {
        std::string status = server_.summary();
        try {
            if (failed)
                std::rethrow_exception(failed);
        } catch (const std::exception& why) {
            log::error(std::string("not reloaded, all is as before: ") + why.what());
            status += "; not reloaded, see the log";
        }
        server::service::ready(status);
    };
    auto reloading =
        administration_.reload(Administration::Clients::refuse, Administration::Winner::nobody);
    asio::co_spawn(
        server_.context(),
        [](auto work) -> asio::awaitable<void> { co_await std::move(work); }(std::move(reloading)),
        std::move(ended));
}

} // namespace interposed::control
