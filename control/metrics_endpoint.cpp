#include "control/metrics_endpoint.hpp"

#include "control/accept_header.hpp"
#include "control/openmetrics.hpp"
#include "server/signals_blocked.hpp"
#include "server/tcp_socket.hpp"

#include <atomic>
#include <cerrno>
#include <microhttpd.h>
#include <stdexcept>
#include <string_view>
#include <strings.h>
#include <system_error>
#include <utility>
#include <vector>

namespace interposed::control {

namespace {

/// What a client may send before the end of its header, and what is made ready of an answer at a
/// time; bytes.
constexpr std::size_t connection_memory = std::size_t{16} << 10;

constexpr const char* plain_text = "text/plain; charset=utf-8";
constexpr const char* front_page = "<!DOCTYPE html>\n<title>interposed</title>\n"
                                   "<p>This is interposed: <a href=\"/metrics\">metrics</a>\n";

/// What scrapers have not taken yet may come to so much; then others have to wait. One answer is
/// given however large it is.
constexpr std::size_t max_unsent = std::size_t{64} << 20;

struct Answer {
    unsigned status;
    std::string body;
    const char* type;
};

Answer not_allowed() {
    return {MHD_HTTP_METHOD_NOT_ALLOWED, "want GET or HEAD\n", plain_text};
}

/// A body that is being sent: its memory is given back with its last byte, not with the connection.
struct Body {
    Body(std::string bytes, std::atomic<std::size_t>& all) : text(std::move(bytes)), unsent(all) {
        unsent += text.size();
    }
    ~Body() { unsent -= text.size(); }
    Body(const Body&) = delete;
    Body& operator=(const Body&) = delete;

    std::string text;
    std::atomic<std::size_t>& unsent;
};

MHD_Response* response_of(std::unique_ptr<Body> body) {
    MHD_Response* const response = MHD_create_response_from_buffer_with_free_callback_cls(
        body->text.size(), body->text.data(), [](void* it) { delete static_cast<Body*>(it); },
        body.get());
    if (response != nullptr)
        (void)body.release(); // the response's
    return response;
}

MHD_Result send(MHD_Connection* connection, Answer answer, std::atomic<std::size_t>& unsent) {
    MHD_Response* const response =
        response_of(std::make_unique<Body>(std::move(answer.body), unsent));
    if (response == nullptr)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer.type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT);
    if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    const MHD_Result queued = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return queued;
}

std::string accept_of(MHD_Connection* connection) {
    std::string all; // it may come in several lines
    MHD_get_connection_values(
        connection, MHD_HEADER_KIND,
        [](void* cls, MHD_ValueKind, const char* key, const char* value) {
            if (value != nullptr && ::strcasecmp(key, MHD_HTTP_HEADER_ACCEPT) == 0)
                static_cast<std::string*>(cls)->append(value).append(",");
            return MHD_YES;
        },
        &all);
    return all;
}

struct StopDaemon {
    void operator()(MHD_Daemon* daemon) const { MHD_stop_daemon(daemon); }
};
using Daemon = std::unique_ptr<MHD_Daemon, StopDaemon>;

} // namespace

struct MetricsEndpoint::State {
    void listen(server::TcpSocket socket);
    static MHD_Result answer(void* self, MHD_Connection* connection, const char* url,
                             const char* method, const char* version, const char* upload,
                             std::size_t* upload_size, void** seen);
    [[nodiscard]] Answer answer_to(MHD_Connection* connection, std::string_view url) const;

    Report report;
    std::string uri;
    std::atomic<std::size_t> unsent{0}; ///< bytes of bodies
    std::vector<Daemon> daemons; ///< one for each address; the last member, and so the first to go
};

void MetricsEndpoint::State::listen(server::TcpSocket socket) {
    const server::SignalsBlocked blocked;
    Daemon daemon(
        MHD_start_daemon(MHD_USE_AUTO_INTERNAL_THREAD | MHD_USE_ITC, 0, nullptr, nullptr,
                         &State::answer, this, MHD_OPTION_LISTEN_SOCKET, socket.fd.get(),       //
                         MHD_OPTION_CONNECTION_LIMIT, max_connections,                          //
                         MHD_OPTION_PER_IP_CONNECTION_LIMIT, max_connections_per_address,       //
                         MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(timeout.count()), //
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, connection_memory, MHD_OPTION_END));
    if (!daemon)
        throw std::runtime_error("metrics: want to serve at http://" + socket.address +
                                 ", found: " + std::generic_category().message(errno));
    (void)socket.fd.release(); // closed by the daemon
    daemons.push_back(std::move(daemon));
}

MHD_Result MetricsEndpoint::State::answer(void* it, MHD_Connection* connection, const char* url,
                                          const char* method, const char* /*version*/,
                                          const char* /*upload*/, std::size_t* /*upload_size*/,
                                          void** seen) {
    State& self = *static_cast<State*>(it);
    const std::string_view verb(method);
    try {
        if (verb != MHD_HTTP_METHOD_GET && verb != MHD_HTTP_METHOD_HEAD)
            return send(connection, not_allowed(), self.unsent); // whatever it wants to upload
        if (*seen == nullptr) {                                  // only the header has been read
            *seen = it;
            return MHD_YES;
        }
        return send(connection, self.answer_to(connection, url), self.unsent);
    } catch (const std::exception&) {
        return MHD_NO; // no memory: this connection is closed
    }
}

Answer MetricsEndpoint::State::answer_to(MHD_Connection* connection, std::string_view url) const {
    if (url == "/")
        return {MHD_HTTP_OK, front_page, "text/html; charset=utf-8"};
    if (url != "/metrics")
        return {MHD_HTTP_NOT_FOUND, "want /metrics\n", plain_text};
    if (unsent > max_unsent)
        return {MHD_HTTP_SERVICE_UNAVAILABLE, "want clients that read, found too many others\n",
                plain_text};
    const Dialect dialect = dialect_for(accept_of(connection));
    return {MHD_HTTP_OK, render(report(), measure_process(), dialect), media_type(dialect)};
}

MetricsEndpoint::MetricsEndpoint(const config::TcpAddress& address, Report report)
    : state_(std::make_unique<State>()) {
    state_->report = std::move(report);
    std::vector<server::TcpSocket> sockets;
    try {
        sockets = server::listen_on_tcp(address);
    } catch (const std::runtime_error& why) {
        throw std::runtime_error(std::string("metrics: ") + why.what());
    }
    state_->uri = "http://" + sockets.front().address + "/metrics";
    for (server::TcpSocket& each : sockets)
        state_->listen(std::move(each));
}

MetricsEndpoint::~MetricsEndpoint() = default;

const std::string& MetricsEndpoint::uri() const {
    return state_->uri;
}

} // namespace interposed::control
