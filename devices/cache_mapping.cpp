#include "devices/cache_mapping.hpp"

#include "devices/blocking.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <fcntl.h>
#include <map>
#include <sys/mman.h>
#include <sys/utsname.h>
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

/// Since Linux 6.7 a fault on a file's page is handled under the lock of its mapping alone
/// (mm/memory.c, do_read_fault()). Before, it may wait for the filesystem with that of the whole
/// address space, and then no thread gets memory.
bool faults_hold_no_lock() {
    static const bool known = [] {
        utsname kernel{};
        unsigned major = 0;
        unsigned minor = 0;
        if (::uname(&kernel) != 0 || std::sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
            return false;
        return major > 6 || (major == 6 && minor >= 7);
    }();
    return known;
}

std::uint32_t in_ms(CacheMapping::Clock::time_point at) {
    using namespace std::chrono;
    return static_cast<std::uint32_t>(duration_cast<milliseconds>(at.time_since_epoch()).count());
}

/// Another place for each thread to look first.
std::size_t first_place() {
    static std::atomic<std::size_t> threads{0};
    static thread_local const std::size_t number = threads.fetch_add(1, relaxed);
    return number;
}

} // namespace

CacheMapping::CacheMapping(int fd, std::uint64_t size, Faults faults)
    : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 0)),
      finds_(faults == Faults::always || faults_hold_no_lock()) {
    constexpr std::uint64_t most = std::uint64_t{1} << 46;
    if (!fd_ || size == 0 || size > most)
        return;
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    page_shift_ = static_cast<unsigned>(std::countr_zero(page));
    const std::uint64_t chunk = page * pages_per_chunk;
    const std::uint64_t length = (2 * size + chunk - 1) / chunk * chunk;
    const std::lock_guard lock(all().mutex); // see unlock_all()
    void* const mapped = ::mmap(nullptr, length, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    if (mapped == MAP_FAILED)
        return;
    (void)::munlock(mapped, length); // if the process locks all that it maps
    (void)::madvise(mapped, length, MADV_DONTFORK);
    (void)::madvise(mapped, length, MADV_DONTDUMP);
    begin_ = static_cast<std::byte*>(mapped);
    length_ = length;
    slot_count_ = std::min<std::size_t>(std::bit_ceil((size + chunk - 1) / chunk), max_slots);
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
    if (!finds_ || extent.length == 0 || extent.end() > length_ || suspended_.load(relaxed) > 0 ||
        now.time_since_epoch().count() < rests_until_.load(relaxed))
        return nullptr;
    const std::uint32_t now_ms = in_ms(now);
    const std::uint64_t last = (extent.end() - 1) >> page_shift_;
    for (std::uint64_t page = extent.offset >> page_shift_; page <= last;) {
        const std::uint64_t first_bit = page % pages_per_chunk;
        const std::uint64_t count = std::min(last - page + 1, pages_per_chunk - first_bit);
        const std::uint64_t wanted = (~std::uint64_t{0} >> (64 - count)) << first_bit;
        if (!find_pages(page / pages_per_chunk, wanted, now_ms))
            return nullptr;
        page += count;
    }
    return begin_ + extent.offset;
}

bool CacheMapping::find_pages(std::uint64_t chunk, std::uint64_t wanted, std::uint32_t now_ms) {
    Slot& slot = slots()[chunk & (slot_count_ - 1)];
    const std::uint64_t tag = std::uint64_t{epoch_.load(relaxed)} << 32 | (chunk + 1);
    if (slot.tag.load(relaxed) != tag) {
        slot.resident.store(0, relaxed);
        slot.reads.store(1, relaxed);
        slot.tag.store(tag, relaxed);
        return false;
    }
    const std::uint64_t resident = slot.resident.load(relaxed);
    const bool known = (~resident & wanted) == 0;
    if (known && now_ms - slot.asked_ms.load(relaxed) < trusted_for.count())
        return true;
    const std::uint32_t reads = slot.reads.load(relaxed) + 1;
    slot.reads.store(reads, relaxed);
    if (!known && reads < reads_before_asking)
        return false;
    ask(slot, chunk, now_ms);
    return (~slot.resident.load(relaxed) & wanted) == 0;
}

void CacheMapping::ask(Slot& slot, std::uint64_t chunk, std::uint32_t now_ms) const {
    static_assert(pages_per_chunk == 64, "a bit each");
    std::array<unsigned char, pages_per_chunk> found{};
    std::uint64_t resident = 0;
    if (ask_kernel(chunk * pages_per_chunk, found.size(), found.data())) {
        for (unsigned page = 0; page < pages_per_chunk; ++page)
            resident |= std::uint64_t{found[page] & 1U} << page;
    }
    slot.resident.store(resident, relaxed);
    slot.asked_ms.store(now_ms, relaxed);
    slot.reads.store(0, relaxed);
}

// Whoever may not know about the file is told that all of it is in memory (mm/mincore.c,
// can_do_mincore()), also what is beyond its end: and the last page of the mapping is, as long as
// the file has not grown to twice its size.
bool CacheMapping::ask_kernel(std::uint64_t page, std::size_t count,
                              unsigned char* resident) const {
    if (begin_ == nullptr)
        return false;
    unsigned char beyond = 0;
    const std::uint64_t size = std::uint64_t{1} << page_shift_;
    if (::mincore(begin_ + length_ - size, size, &beyond) != 0 || (beyond & 1U) != 0 ||
        ::mincore(begin_ + (page << page_shift_), count << page_shift_, resident) != 0)
        return false;
    // Of a page that the file ends in, the rest would be zeroes and not an error; and pages behind
    // the end of a file that was cut off may still be in memory.
    std::uint64_t size_now = 0;
    if (blocking::size(fd_.get(), size_now) != 0)
        return false;
    const std::uint64_t whole = size_now >> page_shift_;
    for (std::uint64_t at = std::max(page, whole); at < page + count; ++at)
        resident[at - page] = 0;
    return true;
}

bool CacheMapping::holds(mapping::Extent extent) const {
    if (extent.length == 0 || extent.end() > length_)
        return false;
    constexpr std::size_t step = 1024;
    std::array<unsigned char, step> found{};
    const std::uint64_t end = ((extent.end() - 1) >> page_shift_) + 1;
    for (std::uint64_t page = extent.offset >> page_shift_; page < end;) {
        const std::size_t count = std::min<std::uint64_t>(end - page, step);
        if (!ask_kernel(page, count, found.data()) ||
            std::any_of(found.begin(), found.begin() + count,
                        [](unsigned char each) { return (each & 1U) == 0; }))
            return false;
        page += count;
    }
    return true;
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

std::optional<CacheMapping::Place> CacheMapping::enter(Clock::time_point now) {
    const Clock::rep since = now.time_since_epoch().count();
    const Clock::rep stuck = (now - stuck_after).time_since_epoch().count();
    const std::size_t first = first_place();
    for (const auto& each : inside_) {
        const Clock::rep other = each.load(relaxed);
        if (other != 0 && other < stuck) {
            rest_from(now);
            return std::nullopt;
        }
    }
    for (std::size_t i = 0; i < inside_.size(); ++i) {
        const Place place = (first + i) % inside_.size();
        Clock::rep nobody = 0;
        if (inside_[place].compare_exchange_strong(nobody, since, relaxed))
            return place;
    }
    return std::nullopt;
}

void CacheMapping::leave(Place place, Clock::time_point now, bool waited) {
    inside_[place].store(0, relaxed);
    if (!waited)
        return;
    disbelieve();
    rest_from(now);
}

void CacheMapping::rest_from(Clock::time_point now) {
    rests_until_.store((now + rest).time_since_epoch().count(), relaxed);
}

void CacheMapping::suspend() {
    ++suspended_;
    disbelieve();
    if (begin_ != nullptr)
        (void)::madvise(begin_, length_, MADV_DONTNEED);
}

void CacheMapping::resume() {
    disbelieve();
    --suspended_;
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
