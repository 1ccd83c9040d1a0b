#include "devices/cache_mapping.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace interposed::devices {

namespace {

constexpr auto relaxed = std::memory_order_relaxed;

/// All mappings, by where they end: so upper_bound() finds the one that an address is in.
struct All {
    std::mutex mutex;
    std::map<std::uintptr_t, std::uintptr_t> begin_by_end;
};

All& all() {
    static All mappings;
    return mappings;
}

std::uintptr_t number(const std::byte* address) {
    return reinterpret_cast<std::uintptr_t>(address);
}

/// mincore() tells of a file's page cache only who owns it or may write it; for anybody else all of
/// it is in memory (mm/mincore.c, can_do_mincore()).
bool may_ask(int fd) {
    struct stat found {};
    if (::fstat(fd, &found) != 0)
        return false;
    return found.st_uid == ::geteuid() ||
           ::faccessat(fd, "", W_OK, AT_EMPTY_PATH | AT_EACCESS) == 0;
}

} // namespace

CacheMapping::CacheMapping(int fd, std::uint64_t size) {
    constexpr std::uint64_t most = std::uint64_t{1} << 46;
    if (size == 0 || size > most || !may_ask(fd))
        return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    page_shift_ = static_cast<unsigned>(std::countr_zero(page));
    const std::uint64_t chunk = page * pages_per_chunk;
    const std::uint64_t length = (2 * size + chunk - 1) / chunk * chunk;
    void* const mapped = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (mapped == MAP_FAILED)
        return;
    (void)::munlock(mapped, length); // if the process locks all that it maps
    (void)::madvise(mapped, length, MADV_DONTFORK);
    begin_ = static_cast<std::byte*>(mapped);
    length_ = length;
    slot_count_ = std::min<std::size_t>(std::bit_ceil((size + chunk - 1) / chunk), max_slots);
    const std::lock_guard lock(all().mutex);
    all().begin_by_end.emplace(number(begin_) + length_, number(begin_));
}

CacheMapping::~CacheMapping() {
    if (begin_ == nullptr)
        return;
    {
        const std::lock_guard lock(all().mutex);
        all().begin_by_end.erase(number(begin_) + length_);
    }
    ::munmap(begin_, length_);
}

const std::byte* CacheMapping::find(mapping::Extent extent, Clock::time_point now) {
    if (extent.length == 0 || extent.end() > length_ || !gate_.is_open(now) ||
        now.time_since_epoch().count() < rests_until_.load(relaxed))
        return nullptr;
    const std::uint64_t last = (extent.end() - 1) >> page_shift_;
    for (std::uint64_t page = extent.offset >> page_shift_; page <= last;) {
        const std::uint64_t first_bit = page % pages_per_chunk;
        const std::uint64_t count = std::min(last - page + 1, pages_per_chunk - first_bit);
        if (!find_pages(page / pages_per_chunk, (~std::uint64_t{0} >> (64 - count)) << first_bit))
            return nullptr;
        page += count;
    }
    return begin_ + extent.offset;
}

bool CacheMapping::find_pages(std::uint64_t chunk, std::uint64_t wanted) {
    Slot& slot = slots()[chunk & (slot_count_ - 1)];
    const std::uint64_t tag = std::uint64_t{epoch_.load(relaxed)} << 32 | (chunk + 1);
    if (slot.tag.load(relaxed) != tag) {
        slot.resident.store(0, relaxed);
        slot.reads.store(1, relaxed);
        slot.tag.store(tag, relaxed);
        return false;
    }
    if ((~slot.resident.load(relaxed) & wanted) == 0)
        return true;
    const unsigned reads = slot.reads.load(relaxed) + 1;
    slot.reads.store(reads, relaxed);
    if (reads < reads_before_asking)
        return false;
    ask(slot, chunk);
    return (~slot.resident.load(relaxed) & wanted) == 0;
}

void CacheMapping::ask(Slot& slot, std::uint64_t chunk) const {
    static_assert(pages_per_chunk == 64, "a bit each");
    const std::uint64_t length = std::uint64_t{pages_per_chunk} << page_shift_;
    std::array<unsigned char, pages_per_chunk> found{};
    std::uint64_t resident = 0;
    if (::mincore(begin_ + chunk * length, length, found.data()) == 0) {
        for (unsigned page = 0; page < pages_per_chunk; ++page)
            resident |= std::uint64_t{found[page] & 1U} << page;
    }
    slot.resident.store(resident, relaxed);
    slot.reads.store(0, relaxed);
}

CacheMapping::Slot* CacheMapping::slots() {
    Slot* made = slots_.load(std::memory_order_acquire);
    if (made != nullptr)
        return made;
    const std::lock_guard lock(slots_mutex_);
    if (!slots_owner_) {
        slots_owner_ = std::make_unique<Slot[]>(slot_count_);
        slots_.store(slots_owner_.get(), std::memory_order_release);
    }
    return slots_owner_.get();
}

bool CacheMapping::holds(mapping::Extent extent) const {
    if (extent.length == 0 || extent.end() > length_)
        return false;
    constexpr std::size_t step = 1024;
    std::array<unsigned char, step> found{};
    const std::uint64_t end = ((extent.end() - 1) >> page_shift_) + 1;
    for (std::uint64_t page = extent.offset >> page_shift_; page < end;) {
        const std::size_t count = std::min<std::uint64_t>(end - page, step);
        if (::mincore(begin_ + (page << page_shift_), count << page_shift_, found.data()) != 0 ||
            std::any_of(found.begin(), found.begin() + count,
                        [](unsigned char each) { return (each & 1U) == 0; }))
            return false;
        page += count;
    }
    return true;
}

void CacheMapping::leave(Clock::time_point entered, Clock::time_point now, bool waited) {
    gate_.leave(waited ? entered : now, now, 0);
    if (waited)
        disbelieve(now);
}

void CacheMapping::disbelieve(Clock::time_point now) {
    rests_until_.store((now + rest).time_since_epoch().count(), relaxed);
    epoch_.fetch_add(1, relaxed);
}

void CacheMapping::forget() {
    if (begin_ == nullptr)
        return;
    disbelieve(Clock::now());
    (void)::madvise(begin_, length_, MADV_DONTNEED);
}

void CacheMapping::unlock_all() {
    const std::lock_guard lock(all().mutex);
    for (const auto& [end, begin] : all().begin_by_end)
        // NOLINTNEXTLINE(performance-no-int-to-ptr): it was a pointer
        (void)::munlock(reinterpret_cast<const void*>(begin), end - begin);
}

bool CacheMapping::is_mapped(std::uintptr_t address) {
    const std::lock_guard lock(all().mutex);
    const auto found = all().begin_by_end.upper_bound(address);
    return found != all().begin_by_end.end() && found->second <= address;
}

} // namespace interposed::devices
