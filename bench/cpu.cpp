#include "bench/cpu.hpp"

#include "bench/clock.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unistd.h>

namespace interposed::bench {

namespace {

struct Process {
    pid_t pid = 0;
    pid_t parent = 0;
    std::uint64_t reaped_ns = 0; ///< CPU time of children it has waited for
};

/// The line of /proc/PID/stat behind the process's name, which may hold anything. nullopt: gone.
std::optional<Process> read_process(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    const std::string line{std::istreambuf_iterator<char>(file), {}};
    const std::size_t name_end = line.rfind(')');
    if (name_end == std::string::npos)
        return std::nullopt;
    std::istringstream fields(line.substr(name_end + 1));
    std::string state;
    std::array<std::int64_t, 14> numbers{}; // ppid ... utime stime cutime cstime
    fields >> state;
    for (std::int64_t& number : numbers)
        fields >> number;
    const auto ticks = static_cast<std::uint64_t>(numbers[12] + numbers[13]);
    const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return Process{.pid = pid,
                   .parent = static_cast<pid_t>(numbers[0]),
                   .reaped_ns = ticks * (1'000'000'000 / per_second)};
}

std::vector<Process> all_processes() {
    std::vector<Process> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (error != std::errc{} || end != name.data() + name.size())
            continue;
        if (const auto process = read_process(pid))
            found.push_back(*process);
    }
    return found;
}

/// Appends the descendants of what is there. A child may stand before its parent in the list.
void add_descendants(std::vector<pid_t>& family, const std::vector<Process>& all) {
    const auto contains = [&](pid_t pid) {
        return std::find(family.begin(), family.end(), pid) != family.end();
    };
    for (std::size_t before = 0; before != family.size();) {
        before = family.size();
        for (const Process& process : all)
            if (contains(process.parent) && !contains(process.pid))
                family.push_back(process.pid);
    }
}

/// Exact to the nanosecond, where utime and stime of /proc/PID/stat count ticks of 10 ms.
std::optional<std::uint64_t> running_ns(pid_t pid) {
    clockid_t clock{};
    timespec used{};
    if (::clock_getcpuclockid(pid, &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        return std::nullopt;
    return nanoseconds(used);
}

} // namespace

std::uint64_t cpu_ns_of(const std::vector<pid_t>& processes) {
    std::vector<pid_t> family = processes;
    const std::vector<Process> all = all_processes();
    add_descendants(family, all);
    std::uint64_t total = 0;
    for (const pid_t pid : family) {
        const auto process = std::find_if(all.begin(), all.end(),
                                          [&](const Process& one) { return one.pid == pid; });
        const auto running = running_ns(pid);
        if (running && process != all.end())
            total += *running + process->reaped_ns;
        else if (std::find(processes.begin(), processes.end(), pid) != processes.end())
            throw std::runtime_error("server process " + std::to_string(pid) + " is gone");
    }
    return total;
}

std::uint64_t own_cpu_ns() {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return nanoseconds(used);
}

} // namespace interposed::bench
