#pragma once

#include "devices/inline_gate.hpp"
#include "mapping/extent.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace interposed::devices {

/// A disk or file as it lies in the page cache, mapped: for system calls that send from it without
/// a copy of ours (docs/decisions/0025). Only system calls may touch the memory: a page that cannot
/// be read, or is beyond the end by now, is EFAULT for them and SIGBUS for the program itself.
///
/// What find() gives was in memory when that was asked last. If it is not any more, the system call
/// waits for the device: without a lock that other threads need, but for as long as it takes. So
/// such calls are made between enter() and leave(), and where one has waited, nothing is believed
/// any more.
///
/// There is no mapping where mincore(2) does not say the truth, that is to say of files that this
/// process neither owns nor may write, nor where the address space has no room: then find() finds
/// nothing. Thread-safe.
class CacheMapping {
public:
    using Clock = InlineGate::Clock;

    /// After a call that has waited, nothing is found for so long.
    static constexpr std::chrono::milliseconds rest{250};
    /// Pages are asked for in groups of so many, and only where reads come again and again: a page
    /// costs as much to map as half a read.
    static constexpr unsigned pages_per_chunk = 64;
    static constexpr unsigned reads_before_asking = 8;

    /// `fd` is readable, need not stay open, and should carry no claim: the mapping keeps its
    /// description. There is room for a device that grows.
    CacheMapping(int fd, std::uint64_t size);
    ~CacheMapping();
    CacheMapping(const CacheMapping&) = delete;
    CacheMapping& operator=(const CacheMapping&) = delete;

    /// Where the bytes of a read are, if all of their pages should be in memory. Null: some are
    /// not, or nothing is known of them yet. Does not wait for the device.
    [[nodiscard]] const std::byte* find(mapping::Extent extent, Clock::time_point now);

    /// Whether all of the bytes' pages are in memory now. Does not wait for the device.
    [[nodiscard]] bool holds(mapping::Extent extent) const;

    /// Whether a call may be made now that takes what was found. Each true must be followed by
    /// leave(). `waited`: the call was not merely slow, but has waited for pages.
    [[nodiscard]] bool enter(Clock::time_point now) { return gate_.enter(now); }
    void leave(Clock::time_point entered, Clock::time_point now, bool waited);

    /// Holds on to no page any more, so that the page cache can drop those that nobody else uses.
    void forget();

    /// For a process whose memory was just locked: that was not meant for its mappings. Of all that
    /// there are; those that are made later see to it themselves.
    static void unlock_all();
    /// Whether the address lies in one of them.
    [[nodiscard]] static bool is_mapped(std::uintptr_t address);

private:
    static constexpr std::size_t max_slots = std::size_t{1} << 18;

    /// Which pages of one chunk are in memory. Loops read and write it at the same time without a
    /// lock: a wrong bit costs a wait, as does a page that has left.
    struct Slot {
        std::atomic<std::uint64_t> tag{0}; ///< whose it is, and since which epoch
        std::atomic<std::uint64_t> resident{0};
        std::atomic<unsigned> reads{0}; ///< that were not found, since it was last asked
    };

    [[nodiscard]] bool find_pages(std::uint64_t chunk, std::uint64_t wanted);
    void ask(Slot& slot, std::uint64_t chunk) const;
    void disbelieve(Clock::time_point now);
    Slot* slots();

    InlineGate gate_;
    std::byte* begin_ = nullptr; ///< null: there is no mapping
    std::uint64_t length_ = 0;   ///< bytes
    unsigned page_shift_ = 0;
    std::size_t slot_count_ = 0; ///< a power of two
    std::atomic<Slot*> slots_{nullptr};
    std::mutex slots_mutex_;
    std::unique_ptr<Slot[]> slots_owner_;
    std::atomic<std::uint32_t> epoch_{0};
    std::atomic<Clock::rep> rests_until_{0};
};

} // namespace interposed::devices
