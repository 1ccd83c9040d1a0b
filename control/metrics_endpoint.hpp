#pragma once

#include "config/config.hpp"
#include "server/report.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace interposed::control {

/// Serves metrics over HTTP, from a thread of its own: however slow, many or rude those are who
/// ask, the server itself does not notice.
class MetricsEndpoint {
public:
    /// Called on the endpoint's thread.
    using Report = std::function<server::ServerReport()>;

    static constexpr unsigned max_connections = 32;
    static constexpr unsigned max_connections_per_address = 8;
    /// A client that says nothing, or takes nothing, for so long is gone.
    static constexpr std::chrono::seconds timeout{10};

    /// Listens and serves from now on. Throws std::runtime_error that names the address, what was
    /// wanted and what was found.
    MetricsEndpoint(const config::TcpAddress& address, Report report);
    /// Report is not called any more after it.
    ~MetricsEndpoint();
    MetricsEndpoint(const MetricsEndpoint&) = delete;
    MetricsEndpoint& operator=(const MetricsEndpoint&) = delete;

    /// "http://127.0.0.1:9809/metrics"; if the host has several addresses, the first.
    [[nodiscard]] const std::string& uri() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace interposed::control
