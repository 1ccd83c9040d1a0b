#pragma once

#include "devices/file_descriptor.hpp"
#include "mapping/extent.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

namespace interposed::devices {

/// A disk or file as it lies in the page cache, mapped: for system calls that send from it without
/// a copy of ours (docs/decisions/0025). Only system calls may touch the memory: a page that cannot
/// be read, or is beyond the end by now, is EFAULT for them and SIGBUS for the program itself.
///
/// What find() gives was in memory a moment ago. If it is not any more, the system call waits for
/// the device: as a rule without a lock that other threads need, but for as long as it takes. So
/// such calls are made between enter() and leave(); while one is stuck nobody else is let in, and
/// where one has waited, nothing is believed any more.
///
/// find() finds nothing where a fault would hold the lock of the address space (Linux before 6.7).
/// Nothing is known where mincore(2) does not say the truth, that is to say of files that this
/// process neither owns nor may write, nor where the address space has no room. Thread-safe.
class CacheMapping {
public:
    using Clock = std::chrono::steady_clock;

    /// What was in memory is taken to be there for so long.
    static constexpr std::chrono::milliseconds trusted_for{1000};
    /// After a call that has waited or got stuck, nothing is found for so long.
    static constexpr std::chrono::milliseconds rest{250};
    /// Who is inside for so long is stuck.
    static constexpr std::chrono::milliseconds stuck_after{2};
    /// Pages are asked for in groups of so many, and only where reads come again and again: a page
    /// costs as much to map as half a read.
    static constexpr unsigned pages_per_chunk = 64;
    static constexpr unsigned reads_before_asking = 8;

    enum class Faults : std::uint8_t {
        as_the_kernel_allows, ///< only where they wait without the lock of the address space
        always,
    };

    /// `fd` is readable, need not stay open, and should carry no claim: the mapping keeps its
    /// description. There is room for a device that grows.
    CacheMapping(int fd, std::uint64_t size, Faults faults = Faults::as_the_kernel_allows);
    ~CacheMapping();
    CacheMapping(const CacheMapping&) = delete;
    CacheMapping& operator=(const CacheMapping&) = delete;

    /// Where the bytes of a read are, if all of their pages should be in memory. Null: some are
    /// not, or nothing is known of them yet. Does not wait for the device.
    [[nodiscard]] const std::byte* find(mapping::Extent extent, Clock::time_point now);

    /// Whether all of the bytes' pages are in memory now. Does not wait for the device.
    [[nodiscard]] bool holds(mapping::Extent extent) const;

    /// Lets a caller in who will make one system call with what was found. nullopt: not now.
    /// Otherwise it is for leave().
    using Place = std::size_t;
    [[nodiscard]] std::optional<Place> enter(Clock::time_point now);
    /// `waited`: the call was not merely slow, but has waited for pages.
    void leave(Place place, Clock::time_point now, bool waited);

    /// What was known is not true any more: pages are being dropped from memory.
    void disbelieve() { epoch_.fetch_add(1, std::memory_order_relaxed); }
    /// Until resume() nothing is found, and no page is held on to, so that all can be dropped.
    void suspend();
    void resume();

    /// For a process whose memory was just locked: that was not meant for its mappings. Of all that
    /// there are; those that are made later see to it themselves.
    static void unlock_all();
    /// Whether the address lies in one of them.
    [[nodiscard]] static bool is_mapped(std::uintptr_t address);

private:
    static constexpr std::size_t max_slots = std::size_t{1} << 16;

    /// Which pages of one chunk are in memory. Loops read and write it at the same time without a
    /// lock: a wrong bit costs a wait, as does a page that has left.
    struct Slot {
        std::atomic<std::uint64_t> tag{0}; ///< whose it is, and since which epoch
        std::atomic<std::uint64_t> resident{0};
        std::atomic<std::uint32_t> asked_ms{0};
        std::atomic<std::uint32_t> reads{0}; ///< that were not found, since it was last asked
    };

    [[nodiscard]] bool find_pages(std::uint64_t chunk, std::uint64_t wanted, std::uint32_t now_ms);
    void ask(Slot& slot, std::uint64_t chunk, std::uint32_t now_ms) const;
    /// Of so many pages from `page` on, to bits; false: it cannot be known.
    bool ask_kernel(std::uint64_t page, std::size_t count, unsigned char* resident) const;
    void rest_from(Clock::time_point now);
    Slot* slots();

    FileDescriptor fd_; ///< to ask where the file ends
    const bool finds_;
    std::byte* begin_ = nullptr; ///< null: there is no mapping
    std::uint64_t length_ = 0;   ///< bytes
    unsigned page_shift_ = 0;
    std::size_t slot_count_ = 0; ///< a power of two
    std::atomic<Slot*> slots_{nullptr};
    std::mutex slots_mutex_;
    std::unique_ptr<Slot[]> slots_owner_;
    std::atomic<std::uint32_t> epoch_{0};
    std::atomic<Clock::rep> rests_until_{0};
    std::atomic<unsigned> suspended_{0};
    std::array<std::atomic<Clock::rep>, 64> inside_{}; ///< since when; 0: nobody
};

} // namespace interposed::devices
