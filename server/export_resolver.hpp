#pragma once

#include "server/resolve.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace interposed::server {

/// What probing each name has given. A name is probed once, however many segments have it.
class Probes {
public:
    struct Finding {
        std::optional<devices::DeviceInfo> info;
        std::string fault; ///< why there is no info
        bool absent = false;
    };

    explicit Probes(const Probe& probe) : probe_(probe) {}

    const Finding& of(const std::string& name);

private:
    const Probe& probe_;
    std::unordered_map<std::string, Finding> findings_;
};

/// Checks one export against its devices. Its segments get a device index beyond the last where
/// there is a fault instead.
ResolvedExport resolve_export(const config::Export& source, Probes& probes,
                              std::vector<config::Fault>& faults);

} // namespace interposed::server
