#pragma once

/// What a service manager is told (sd_notify(3)); nothing, where there is none.
namespace interposed::server::service {

void ready();
void reloading();
void stopping();

} // namespace interposed::server::service
