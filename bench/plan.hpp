#pragma once

#include "bench/socket.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace interposed::bench {

/// What is asked of the server, without how much of it at a time.
struct Pattern {
    std::string name = "randread";
    bool random = true;
    unsigned read_percent = 100;
    std::uint64_t flush_every = 0; ///< writes of a connection; 0: never
    unsigned fua_percent = 0;      ///< of the writes
};

/// Everything the command line says. Sizes are bytes.
struct Plan {
    std::optional<Address> server; ///< absent: the socket copy
    bool copy_over_tcp = false;
    std::string export_name;
    bool structured = false;
    std::string tls_folder; ///< of a client's certificate; empty: no TLS

    Pattern pattern;
    std::uint32_t block = 4096;
    unsigned depth = 1;
    unsigned connections = 1;
    unsigned idle = 0;        ///< connections that only stay attached
    std::uint64_t region = 0; ///< the leading part of the export to use; 0: all
    std::uint64_t seed = 1;

    double warmup_s = 0;
    double seconds = 5;
    std::uint64_t requests = 0; ///< 0: by time
    std::chrono::seconds limit{30};
    bool spin = false;
    bool verify = false;

    std::vector<pid_t> server_pids;
    bool json = false;

    [[nodiscard]] bool writes() const { return pattern.read_percent < 100 || verify; }
};

/// Reads the command line. Throws std::invalid_argument; --help and --version print and exit.
Plan parse_arguments(int count, char** words);

} // namespace interposed::bench
