#include "control/process.hpp"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace interposed::control {

namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

nanoseconds now(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// The fields of /proc/self/stat behind the program's name, which may hold anything.
struct Stat {
    long threads = 0;
    unsigned long long start_ticks = 0; ///< since the machine's start
};

Stat read_stat() {
    std::ifstream file("/proc/self/stat");
    std::string line;
    std::getline(file, line);
    Stat stat;
    const std::size_t name_end = line.rfind(')');
    if (name_end != std::string::npos)
        (void)std::sscanf(line.c_str() + name_end + 1, // state, then the fields 4 to 22
                          " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                          "%ld %*s %llu",
                          &stat.threads, &stat.start_ticks);
    return stat;
}

nanoseconds start_time(const Stat& stat) {
    const auto ticks_per_second = static_cast<unsigned long long>(::sysconf(_SC_CLK_TCK));
    if (stat.start_ticks == 0 || ticks_per_second == 0)
        return {};
    const nanoseconds since_boot(stat.start_ticks * 1'000'000'000 / ticks_per_second);
    return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME) + since_boot;
}

std::uint64_t count_fds() {
    std::error_code unreadable;
    const std::filesystem::directory_iterator begin("/proc/self/fd", unreadable);
    const auto found = unreadable ? 0 : std::distance(begin, {});
    return found > 0 ? static_cast<std::uint64_t>(found) - 1 : 0; // but for that of the iterator
}

} // namespace

Process measure_process() {
    const Stat stat = read_stat();
    // Once: a clock that is set anew must not look like another start.
    static const nanoseconds started = start_time(stat);
    Process process;
    std::uint64_t virtual_pages = 0;
    std::uint64_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> virtual_pages >> resident_pages;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    process.resident_memory = resident_pages * page;
    process.virtual_memory = virtual_pages * page;
    process.open_fds = count_fds();
    rlimit descriptors{};
    if (::getrlimit(RLIMIT_NOFILE, &descriptors) == 0)
        process.max_fds = descriptors.rlim_cur;
    process.threads = static_cast<std::uint64_t>(stat.threads);
    process.cpu = now(CLOCK_PROCESS_CPUTIME_ID);
    process.start_time = started;
    return process;
}

} // namespace interposed::control
