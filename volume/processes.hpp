#pragma once

#include "volume/mounts.hpp"

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <vector>

/// What a process needs of files, from /proc.
namespace interposed::volume {

enum class Use : std::uint8_t {
    program,
    library,
    working_folder,
    core_dumps,
    open_file,
    socket,
    state_folder,
    configuration,
    lease_folder,
};

struct Needed {
    Use use = Use::open_file;
    std::string path;

    friend bool operator==(const Needed&, const Needed&) = default;
};

/// Of those that the process has of itself, the ones on the volume: program, libraries, working
/// folder, core dumps, what it has open for writing and the sockets it listens on. Those that are
/// open for reading only are not among them.
std::vector<Needed> needed_on(const Dependence& volume, pid_t process);

struct Memory {
    bool locked = false;
    int oom_score_adj = 0;
};
Memory memory_of(pid_t process);

} // namespace interposed::volume
