#pragma once

#include "control/administration.hpp"
#include "control/attachments.hpp"
#include "control/event_hub.hpp"
#include "control/params.hpp"

#include <array>
#include <asio/awaitable.hpp>
#include <functional>
#include <map>
#include <string>

namespace interposed::control {

/// By Administration::Clients.
inline constexpr std::array<const char*, 3> client_words = {"refuse", "drain", "disconnect"};

/// The methods of the control protocol (interposed-control(7)), by name: from a request line to
/// the line that answers it. On the server's own thread.
class Methods {
public:
    static constexpr int protocol_version = 1;

    Methods(Administration& administration, Attachments& attachments, EventHub& events);

    /// Whoever asks; `gone` when nobody waits for the answer any more.
    struct Asker {
        bool gone = false;
    };

    /// What one line asks for, one request or several, and the line that answers it, without its
    /// end; empty if nothing in it wants an answer. Throws nothing.
    asio::awaitable<std::string> answer(std::string line, std::shared_ptr<const Asker> asker);
    /// Nobody waits any more for what `asker` wanted to wait for. What it wanted done is done.
    void abandon(Asker& asker) {
        asker.gone = true;
        events_.abandon(&asker);
    }

private:
    /// The result, as JSON text.
    using Method = asio::awaitable<std::string> (Methods::*)(Params);

    asio::awaitable<std::string> answer_one(Json request, std::shared_ptr<const Asker> asker);
    asio::awaitable<Json> parse(std::string line);

    asio::awaitable<std::string> version(Params params);
    asio::awaitable<std::string> export_status(Params params);
    asio::awaitable<std::string> export_table(Params params);
    asio::awaitable<std::string> export_create(Params params);
    asio::awaitable<std::string> export_remove(Params params);
    asio::awaitable<std::string> export_load(Params params);
    asio::awaitable<std::string> export_clear(Params params);
    asio::awaitable<std::string> export_suspend(Params params);
    asio::awaitable<std::string> export_resume(Params params);
    asio::awaitable<std::string> export_resize(Params params);
    asio::awaitable<std::string> export_reopen(Params params);
    asio::awaitable<std::string> export_drain(Params params);
    asio::awaitable<std::string> export_qos(Params params);
    asio::awaitable<std::string> change_claim(Params params, config::Claim claim);
    asio::awaitable<std::string> export_adopt(Params params);
    asio::awaitable<std::string> export_release(Params params);
    asio::awaitable<std::string> export_mark(Params params);
    asio::awaitable<std::string> export_attach(Params params);
    asio::awaitable<std::string> export_detach(Params params);
    asio::awaitable<std::string> attachment_list(Params params);
    asio::awaitable<std::string> hand_over(Params params);
    asio::awaitable<std::string> session_list(Params params);
    asio::awaitable<std::string> session_disconnect(Params params);
    asio::awaitable<std::string> trace(Params params);
    asio::awaitable<std::string> log(Params params);
    asio::awaitable<std::string> reload(Params params);
    asio::awaitable<std::string> statistics(Params params);
    asio::awaitable<std::string> metrics(Params params);
    asio::awaitable<std::string> wait(Params params);

    static const std::map<std::string, Method, std::less<>>& all();

    Administration& administration_;
    Attachments& attachments_;
    EventHub& events_;
    Jobs jobs_; ///< for long texts
};

} // namespace interposed::control
