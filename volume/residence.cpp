#include "volume/residence.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <malloc.h>
#include <memory>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <system_error>

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

namespace interposed::volume {

std::string stay_resident() {
    constexpr std::size_t reserve = std::size_t{4} << 20U; // bytes; a table of many lines is one
    (void)::mallopt(M_TRIM_THRESHOLD, -1);
    (void)::mallopt(M_MMAP_THRESHOLD, static_cast<int>(2 * reserve));
    if (void* const room = std::malloc(reserve); room != nullptr) {
        std::memset(room, 1, reserve);
        std::free(room);
    }
    (void)::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    if (::mlockall(MCL_CURRENT | MCL_FUTURE) != 0)
        return "cannot lock the program in memory: " + std::generic_category().message(errno);
    return "";
}

} // namespace interposed::volume
