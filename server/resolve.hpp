#pragma once

#include "config/config.hpp"
#include "devices/claim.hpp"
#include "devices/probe.hpp"
#include "mapping/extent.hpp"
#include "server/access.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

/// The second stage of a configuration: its tables against the devices as they are, without a
/// claim on any, and its users and groups against those that the system knows. So `--check` works
/// while a server runs on the same devices.
namespace interposed::server {

class TlsContext;

struct ResolvedSegment {
    mapping::Extent where;           ///< in the export
    std::uint32_t device = 0;        ///< index into ResolvedExport::devices
    std::uint64_t device_offset = 0; ///< bytes
};

struct ResolvedDevice {
    devices::DeviceInfo info;
    devices::CacheMode cache = devices::CacheMode::buffered;
};

struct ResolvedExport {
    const config::Export* source = nullptr;
    std::vector<ResolvedDevice> devices;   ///< each once, however many names it goes by
    std::vector<ResolvedSegment> segments; ///< one for each of the source's table
    std::uint64_t size = 0;                ///< bytes
    std::string disabled_because;          ///< empty: enabled; else there are no segments
    AccessPointer access{};                ///< null: everybody may do everything
};

struct ResolvedListener {
    const config::Listener* source = nullptr;
    AccessPointer access; ///< null: everybody may speak to it
};

struct Resolved {
    std::vector<ResolvedListener> listeners{}; ///< in the configuration's order, as the exports
    std::vector<ResolvedExport> exports;
    std::shared_ptr<const TlsContext> tls; ///< with its files as they are; null: none is configured
    std::vector<std::string> warnings;
};

/// How a device is looked at: devices::probe, or a test's own idea of a machine.
using Probe = std::function<devices::DeviceInfo(const std::string&)>;

/// Fills in the lengths that depend on the devices, checks every table against them and against
/// the others, and looks up who the rules are for. The result points into `configuration`. Throws
/// config::ConfigError with every fault found.
Resolved resolve(const config::Configuration& configuration, const Probe& probe = devices::probe);
Resolved resolve(config::Configuration&&, const Probe& = devices::probe) = delete;

/// One export beside others that have been resolved before, each of which may have two tables: the
/// one that is served, and one that is loaded to be served next. Throws config::ConfigError about
/// `source`, whose places are in `file`.
ResolvedExport resolve_beside(const config::Export& source, const std::string& file,
                              std::vector<ResolvedExport> served,
                              std::vector<ResolvedExport> loaded,
                              const Probe& probe = devices::probe);

/// Every listener that has rules, every export and its table for people, many lines long. Of a
/// table with more than 64 segments only the ends are shown.
std::string describe(const Resolved& resolved);

} // namespace interposed::server
