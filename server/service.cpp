#include "server/service.hpp"

#include <chrono>
#include <string>
#include <systemd/sd-daemon.h>

namespace interposed::server::service {

void ready() {
    (void)::sd_notify(0, "READY=1");
}

void reloading() {
    const auto now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now().time_since_epoch());
    const std::string text = "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count());
    (void)::sd_notify(0, text.c_str());
}

void stopping() {
    (void)::sd_notify(0, "STOPPING=1");
}

} // namespace interposed::server::service
