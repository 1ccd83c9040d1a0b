#include "attach/residence.hpp"

#include "devices/cache_mapping.hpp"

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <system_error>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace interposed::attach {

namespace {

std::string because(const char* what, int error) {
    return std::string(what) + ": " + std::generic_category().message(error);
}

/// A page that is locked when it is first touched may be touched when its file cannot be read.
/// Anonymous memory has no file, and much of it is never touched.
void read_in_mapped_files() {
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        const std::size_t dash = line.find('-');
        const std::size_t blank = line.find(' ');
        if (dash == std::string::npos || blank == std::string::npos ||
            line.find('/') == std::string::npos || line.at(blank + 1) != 'r')
            continue;
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        std::from_chars(line.data(), line.data() + dash, begin, 16);
        std::from_chars(line.data() + dash + 1, line.data() + blank, end, 16);
        if (devices::CacheMapping::is_mapped(begin))
            continue; // gigabytes of what is served
        // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how the kernel tells of them
        ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_READ);
    }
}

/// When memory runs out.
bool ask_to_be_spared() {
    std::ofstream score("/proc/self/oom_score_adj");
    score << "-1000\n" << std::flush;
    return score.good();
}

} // namespace

std::string become_io_flusher() {
    if (::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) == 0)
        return {};
    return because("PR_SET_IO_FLUSHER", errno);
}

void prepare_to_stay_resident() {
    const rlimit unlimited{.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    (void)::setrlimit(RLIMIT_MEMLOCK, &unlimited);
    (void)ask_to_be_spared();
}

std::vector<std::string> stay_resident() {
    std::vector<std::string> failed;
    // On fault: stacks and pools are mapped far larger than they are used.
    if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        failed.push_back(because("mlockall", errno));
    devices::CacheMapping::unlock_all();
    read_in_mapped_files();
    if (!ask_to_be_spared())
        failed.push_back(because("oom_score_adj of -1000", errno));
    return failed;
}

} // namespace interposed::attach
