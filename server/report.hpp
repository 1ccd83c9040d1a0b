#pragma once

#include "server/statistics.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

/// A server at one moment, as plain values: what metrics and the control socket tell of it.
namespace interposed::server {

struct DeviceReport {
    std::string path;
    std::string identity; ///< "8:16", or "dev:inode" of a file
    bool block_device = false;
    bool exclusive = false;
    bool read_only = false;
    std::string flush_error; ///< empty: none
    std::uint64_t size = 0;  ///< bytes
    std::uint64_t in_flight = 0;
    std::uint64_t cached_reads = 0; ///< reads that the page cache answered at once
    Totals totals; ///< latency only of what went to the device: not of what the page cache answered
};

struct ExportReport {
    std::string name;
    std::uint64_t size = 0; ///< bytes
    std::uint64_t generation = 0;
    std::uint64_t segments = 0;
    std::uint64_t connections = 0;
    std::uint64_t in_flight = 0;
    bool suspended = false;
    bool draining = false;
    bool read_only = false;
    bool inactive_table = false;        ///< one is loaded
    std::vector<std::string> devices;   ///< paths
    std::uint64_t connections_ever = 0; ///< that chose it
    std::uint64_t throttled = 0;        ///< requests that waited for a rate limit
    Totals totals;
};

struct ServerReport {
    std::chrono::system_clock::time_point when;
    std::chrono::nanoseconds uptime{};
    std::string version;
    std::uint64_t connections = 0;
    std::uint64_t accepted = 0;
    std::uint64_t turned_away = 0;        ///< connections above a limit
    std::uint64_t handshake_failures = 0; ///< that ended without a chosen export
    std::uint64_t memory_in_use = 0;      ///< bytes, of limits.memory
    std::uint64_t memory_limit = 0;       ///< bytes
    std::uint64_t log_lines_dropped = 0;
    std::vector<ExportReport> exports;
    std::vector<DeviceReport> devices;
};

} // namespace interposed::server
