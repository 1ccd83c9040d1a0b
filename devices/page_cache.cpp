#include "devices/page_cache.hpp"

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>

namespace interposed::devices::page_cache {

namespace {

// Newer than the headers we are built with: linux/mman.h, and the number that every architecture
// has had for it since (they are the same for all new system calls).
constexpr long cachestat_number = 451;

struct CachestatRange {
    std::uint64_t offset;
    std::uint64_t length;
};

struct Cachestat {
    std::uint64_t cached; ///< pages
    std::uint64_t dirty;
    std::uint64_t writeback;
    std::uint64_t evicted;
    std::uint64_t recently_evicted;
};

} // namespace

std::optional<bool> holds(int fd, mapping::Extent extent) {
    static std::atomic<bool> unknown{false};
    static const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    if (extent.length == 0 || unknown.load(std::memory_order_relaxed))
        return std::nullopt;
    const CachestatRange range{extent.offset, extent.length};
    Cachestat found{};
    if (::syscall(cachestat_number, fd, &range, &found, 0) != 0) {
        if (errno == ENOSYS)
            unknown.store(true, std::memory_order_relaxed);
        return std::nullopt;
    }
    const std::uint64_t pages = (extent.end() - 1) / page - extent.offset / page + 1;
    return found.cached >= pages;
}

} // namespace interposed::devices::page_cache
