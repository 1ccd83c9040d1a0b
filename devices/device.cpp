#include "devices/device.hpp"

#include "devices/blocking.hpp"
#include "devices/file_status.hpp"
#include "devices/page_cache.hpp"
#include "devices/whole_blocks.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <system_error>
#include <unistd.h>

namespace interposed::devices {

namespace {

/// Without io_uring this is the device's queue depth.
constexpr unsigned max_workers = 16;
constexpr std::size_t max_status_runs = 512;
constexpr std::uint32_t page = 4096;

/// What O_DIRECT wants offsets and lengths to be multiples of.
std::uint32_t direct_block(const DeviceInfo& info, int fd) {
    if (info.identity.kind == DeviceKind::block_device)
        return info.logical_block_size;
#ifdef STATX_DIOALIGN
    struct statx found {};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &found) == 0 &&
        (found.stx_mask & STATX_DIOALIGN) != 0 && found.stx_dio_offset_align != 0)
        return found.stx_dio_offset_align;
#else
    (void)fd;
#endif
    return page; // no filesystem wants more
}

Limits make_limits(const DeviceInfo& info, std::uint32_t block, bool modifies_blocks) {
    return {.minimum_block = modifies_blocks ? 1 : block,
            .preferred_block = std::max(block, page),
            .buffer_alignment = block,
            .rotational = info.rotational};
}

/// What a filesystem or device may answer to a write without having lost anything before it.
bool is_refusal(int error) {
    return error == ENOSPC || error == EDQUOT || error == EFBIG || error == EINVAL;
}

/// A second description of the same device: no claim, no locks, nothing but a place for errors.
FileDescriptor open_for_sync(const DeviceInfo& info, int fd) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    FileDescriptor opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (opened.get() < 0)
        throw ClaimError("device \"" + info.path + "\": cannot open it a second time for syncs: " +
                         std::generic_category().message(errno));
    return opened;
}

/// Pages that are being read in count as cached, but must be waited for. Readahead goes on for a
/// while behind the read that started it.
constexpr std::chrono::nanoseconds readahead_settles = std::chrono::milliseconds(100);

/// What the kernel cannot do without waiting goes to threads that all devices share, and for files
/// that can be anything. Block devices say themselves when they have enough.
constexpr unsigned files_on_ring = 32;
constexpr unsigned blocks_on_ring = 1024;

std::int64_t now_ns() {
    return std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool is_file(const DeviceInfo& info) {
    return info.identity.kind == DeviceKind::regular_file;
}

bool is_write(const Operation& operation) {
    return operation.kind == OpKind::write || operation.kind == OpKind::write_zeroes;
}

bool multiple(std::uint64_t value, std::uint32_t of) {
    return value % of == 0;
}

} // namespace

Device::Device(DeviceInfo info, Claim claim, FlushFailed lost)
    : info_(std::move(info)), claim_(std::move(claim)),
      writable_(claim_.access() == Access::read_write), claim_mode_(claim_.mode()),
      lost_(std::move(lost)), size_(info_.size),
      block_(direct() ? direct_block(info_, claim_.io_fd()) : 1),
      modifies_blocks_(block_ > 1 && claim_.mode() == ClaimMode::exclusive),
      may_punch_(blocking::holes_read_as_zeroes(claim_.io_fd())),
      zeroes_fast_(is_file(info_) ? blocking::zeroes_fast(claim_.io_fd()) : blocking::FastZero{}),
      may_have_holes_(is_file(info_) && blocking::is_sparse(claim_.io_fd())), fd_(claim_.io_fd()),
      limits_(make_limits(info_, block_, modifies_blocks_)),
      max_on_ring_(is_file(info_) ? files_on_ring : blocks_on_ring),
      sync_fd_(open_for_sync(info_, claim_.io_fd())),
      mapping_(direct() ? nullptr : std::make_unique<CacheMapping>(sync_fd_.get(), size_)),
      workers_(
          max_workers, [this](Operation* chain) { run_blocking(chain); },
          [this](Operation& operation) { refuse(operation); }) {
    if (!multiple(info_.size, block_))
        throw ClaimError("device \"" + info_.path + "\": want a size that is a multiple of " +
                         std::to_string(block_) + " for direct I/O, found " +
                         std::to_string(info_.size) + " (\"cache\": \"buffered\" takes any size)");
}

void Device::grow_to(std::uint64_t size) {
    if (size <= size_)
        return;
    std::uint64_t now = 0;
    if (const int error = blocking::size(claim_.io_fd(), now); error != 0)
        throw ClaimError("device \"" + info_.path +
                         "\": cannot find its size: " + std::generic_category().message(error));
    if (now < size || !multiple(size, block_))
        throw ClaimError("device \"" + info_.path + "\": want it grown to " + std::to_string(size) +
                         " bytes, a multiple of " + std::to_string(block_) + ", found " +
                         std::to_string(now));
    size_ = size;
}

// ---- at once, on the caller's thread ----

bool Device::try_now(Engine& engine, Operation& operation) {
    if (operation.kind == OpKind::block_status)
        return is_file(info_) ? blocking_now(engine, operation) : status(operation) == 0;
    if (direct())
        return false;
    if (operation.kind == OpKind::read)
        return nowait_reads_.load(std::memory_order_relaxed) ? read_now(operation)
                                                             : blocking_now(engine, operation);
    if (operation.kind == OpKind::write && !operation.fua)
        return blocking_now(engine, operation);
    return false;
}

bool Device::read_now(Operation& operation) {
    const iovec into{.iov_base = operation.data, .iov_len = operation.extent.length};
    const ssize_t got = ::preadv2(fd_.load(std::memory_order_relaxed), &into, 1,
                                  static_cast<off_t>(operation.extent.offset), RWF_NOWAIT);
    if (got < 0) {
        // Filesystems without NOWAIT reads (tmpfs, FUSE) will not learn it while we run. Any
        // other error is found again, and reported, by the way that waits.
        if (errno == EOPNOTSUPP)
            nowait_reads_.store(false, std::memory_order_relaxed);
        last_miss_ns_.store(now_ns(), std::memory_order_relaxed);
        return false;
    }
    operation.progress = static_cast<std::uint64_t>(got);
    operation.error = 0;
    if (operation.progress == operation.extent.length) {
        counters_.count_cached(operation.extent.length);
        return true;
    }
    last_miss_ns_.store(now_ns(), std::memory_order_relaxed);
    return false;
}

bool Device::blocking_now(Engine& engine, Operation& operation) {
    if (!engine.may_block())
        return false;
    const auto entered = InlineGate::Clock::now();
    if (!gate_.enter(entered))
        return false;
    const BlockingCall marked(entered);
    const int fd = fd_.load(std::memory_order_relaxed);
    std::uint64_t moved = operation.extent.length;
    if (operation.kind == OpKind::read) {
        operation.error = blocking::read(fd, operation.data, operation.extent, operation.progress);
    } else if (operation.pipe >= 0) {
        operation.error =
            blocking::write_from_pipe(fd, operation.pipe, operation.extent, operation.progress);
    } else if (operation.kind == OpKind::write) {
        operation.error =
            blocking::write(fd, operation.data, operation.extent, false, operation.progress);
    } else {
        operation.error = status(operation);
        moved = 0;
    }
    const auto left = InlineGate::Clock::now();
    gate_.leave(entered, left, moved);
    const bool refused =
        operation.pipe >= 0 && operation.progress == 0 && operation.error == EINVAL;
    if (refused)
        takes_pipes_ = false;
    else
        counters_.count(operation.kind, operation.progress, operation.error, left - entered, false);
    return !refused;
}

/// Which parts take space. Of a block device that cannot be known, and data is always true.
int Device::status(Operation& operation) {
    if (is_file(info_))
        return file_status(fd_, operation.extent, max_status_runs, *operation.status);
    operation.status->push_back({operation.extent.length, 0});
    return 0;
}

bool Device::zeroes_fast(mapping::Extent, bool no_hole) const {
    // What block devices do without being sent zeroes may give the space back.
    return no_hole ? zeroes_fast_.keeping_space
                   : (zeroes_fast_.giving_it_back && may_punch_) || info_.zeroes_by_command;
}

bool Device::cached(mapping::Extent extent) const {
    if (const auto known = page_cache::holds(fd_.load(std::memory_order_relaxed), extent))
        return *known;
    return mapping_ && mapping_->holds(extent);
}

std::optional<DirectExtent> Device::direct_extent(mapping::Extent extent, bool seen) {
    const int fd = fd_.load(std::memory_order_relaxed);
    const bool settled =
        direct_reads_.load(std::memory_order_relaxed) &&
        on_ring_.load(std::memory_order_relaxed) == 0 &&
        now_ns() - last_miss_ns_.load(std::memory_order_relaxed) > readahead_settles.count();
    if (direct() || !settled || !(seen || cached(extent)))
        return std::nullopt;
    return DirectExtent{
        .fd = fd, .offset = extent.offset, .length = extent.length, .counters = &counters_};
}

std::optional<MappedExtent> Device::mapped_extent(mapping::Extent extent,
                                                  std::chrono::steady_clock::time_point now) {
    // Filesystems without NOWAIT reads may have to ask somebody else whether their cache is true.
    if (!mapping_ || !nowait_reads_.load(std::memory_order_relaxed) ||
        !direct_reads_.load(std::memory_order_relaxed) ||
        on_ring_.load(std::memory_order_relaxed) != 0)
        return std::nullopt;
    const std::byte* const data = mapping_->find(extent, now);
    if (data == nullptr)
        return std::nullopt;
    return MappedExtent{
        .data = data, .length = extent.length, .mapping = mapping_.get(), .counters = &counters_};
}

// ---- started now, finished later ----

void Device::submit(Engine& engine, Operation& operation) {
    if (const int lost = flush_error_; lost != 0 && operation.fua) {
        operation.complete(lost);
        return;
    }
    const bool whole = whole_blocks::around(block_, operation.extent) == operation.extent;
    if (block_ > 1 && !modifies_blocks_ && is_write(operation) && !whole) {
        operation.complete(EINVAL); // others may write the rest of the block meanwhile
        return;
    }
    operation.started = Counters::Clock::now();
    counters_.begun();
    if (modifies_blocks_ && is_write(operation)) {
        const auto mode = whole ? RangeLock::Mode::plain : RangeLock::Mode::read_modify_write;
        if (!write_ranges_.lock(operation, whole_blocks::around(block_, operation.extent), mode))
            return; // finish() of the one before starts it
    }
    dispatch(&engine, operation);
}

void Device::dispatch(Engine* engine, Operation& operation) {
    if (engine == nullptr || !start_on_ring(*engine, operation))
        workers_.submit(operation);
}

bool Device::aligned(const Operation& operation) const {
    return multiple(operation.extent.offset, block_) && multiple(operation.extent.length, block_) &&
           multiple(reinterpret_cast<std::uintptr_t>(operation.data), limits_.buffer_alignment);
}

bool Device::start_on_ring(Engine& engine, Operation& operation) {
    const bool suits =
        direct() ? (operation.kind == OpKind::read || operation.kind == OpKind::write) &&
                       aligned(operation)
                 : operation.kind == OpKind::read && nowait_reads_.load(std::memory_order_relaxed);
    if (!suits || on_ring_.load(std::memory_order_relaxed) >= max_on_ring_ ||
        !claim_held_by(engine))
        return false;
    on_ring_.fetch_add(1, std::memory_order_relaxed);
    const bool started = engine.start(*this, operation, fd_.load(std::memory_order_relaxed),
                                      operation.fua ? RWF_DSYNC : 0);
    if (!started)
        on_ring_.fetch_sub(1, std::memory_order_relaxed);
    return started;
}

void Device::ring_done(Engine& engine, Operation& operation, std::int32_t result) {
    on_ring_.fetch_sub(1, std::memory_order_relaxed);
    last_miss_ns_.store(now_ns(), std::memory_order_relaxed);
    const bool ask_again = result == -EAGAIN || result == -EINTR;
    if (ask_again || (operation.fua && is_refusal(-result))) {
        workers_.submit(operation); // which find out what to make of it
        return;
    }
    if (result > 0) {
        operation.progress += static_cast<std::uint64_t>(result);
        if (operation.progress < operation.extent.length) {
            // A short transfer: the rest may no longer suit direct I/O, which workers do not mind.
            workers_.submit(operation);
            return;
        }
    }
    finish(&engine, operation, result > 0 ? 0 : result < 0 ? -result : EIO);
}

void Device::finish(Engine* engine, Operation& operation, int error) {
    // What was to be stable is lost, and the kernel says so only once. Who was only refused has
    // been sorted out before.
    if (error != 0 && operation.kind == OpKind::write && operation.fua && !is_refusal(error))
        lose(error);
    count(operation, error);
    if (error != 0 && operation.kind == OpKind::read)
        direct_reads_.store(false, std::memory_order_relaxed);
    Operation* granted =
        modifies_blocks_ && is_write(operation) ? write_ranges_.unlock(operation) : nullptr;
    operation.complete(error);
    while (granted != nullptr) {
        Operation& next = *granted;
        granted = next.next;
        dispatch(engine, next);
    }
    if (engine != nullptr)
        engine->flush();
}

// ---- on a worker's thread ----

// A sync that fails has dropped what it could not write, whatever the error, and the kernel says so
// only once: so neither it nor any later one may be believed.
int Device::sync() {
    const std::lock_guard lock(sync_mutex_);
    if (const int lost = flush_error_; lost != 0)
        return lost;
    const int error = blocking::flush(sync_fd_.get());
    if (error != 0)
        lose(error);
    return error;
}

void Device::lose(int error) {
    if (flush_error_.exchange(error) == 0 && lost_)
        lost_(info_, error);
}

Device::Reopened Device::reopen() {
    // A description that has been told of an error is not told again: with a new one, whatever
    // fails from now on is heard of.
    FileDescriptor opened = open_for_sync(info_, claim_.claim_fd());
    const std::lock_guard lock(sync_mutex_);
    if (flush_error_ == 0)
        return {};
    sync_fd_ = std::move(opened);
    if (const int error = blocking::flush(sync_fd_.get()); error != 0)
        return {.forgotten = 0, .still_failing = error};
    if (mapping_) {
        mapping_->suspend();
        (void)::posix_fadvise(fd_, 0, 0, POSIX_FADV_DONTNEED);
        mapping_->resume();
    }
    return {.forgotten = flush_error_.exchange(0), .still_failing = 0};
}

void Device::count(const Operation& operation, int error) {
    const bool sized = operation.kind != OpKind::flush && operation.kind != OpKind::block_status;
    counters_.count(operation.kind,
                    !sized       ? 0
                    : error == 0 ? operation.extent.length
                                 : operation.progress,
                    error, Counters::Clock::now() - operation.started, true);
}

void Device::run_blocking(Operation* chain) {
    if (chain->kind != OpKind::flush) {
        // Both take pages out of memory, and who is led to one of those waits for all of it.
        const bool drops_pages =
            mapping_ && (chain->kind == OpKind::trim || chain->kind == OpKind::write_zeroes);
        if (drops_pages)
            mapping_->disbelieve();
        const int error = carry_out(*chain);
        if (drops_pages)
            mapping_->disbelieve();
        finish(nullptr, *chain, error);
        return;
    }
    const int error = sync();
    while (chain != nullptr) {
        Operation& flush = *chain;
        chain = flush.next;
        count(flush, error);
        flush.complete(error);
    }
}

void Device::refuse(Operation& operation) {
    finish(nullptr, operation, EAGAIN);
}

/// A write, and if it is FUA, stable.
int Device::write_through(Operation& operation) {
    const auto write = [&](bool fua) {
        return !direct() || aligned(operation)
                   ? blocking::write(fd_, operation.data, operation.extent, fua, operation.progress)
                   : whole_blocks::write(fd_, block_, operation.data, operation.extent, fua,
                                         operation.progress);
    };
    const int error = write(operation.fua);
    if (!operation.fua || !is_refusal(error))
        return error;
    // Refused, or was it the sync, which then has lost something that was written before?
    const int without = write(false);
    if (without == 0)
        lose(error);
    return without == 0 ? error : without;
}

int Device::carry_out(Operation& operation) {
    const int fd = fd_;
    const mapping::Extent extent = operation.extent;
    const bool plain = !direct() || aligned(operation);
    switch (operation.kind) {
    case OpKind::read:
        return plain ? blocking::read(fd, operation.data, extent, operation.progress)
                     : whole_blocks::read(fd, block_, operation.data, extent, operation.progress);
    case OpKind::write:
        return write_through(operation);
    case OpKind::trim: {
        const bool block_device = !is_file(info_);
        may_have_holes_ = !block_device;
        const int error =
            blocking::trim(fd, block_device, std::max(block_, info_.logical_block_size), extent);
        return error == 0 && operation.fua ? sync() : error;
    }
    case OpKind::write_zeroes:
        return write_zeroes(operation);
    case OpKind::block_status:
        return status(operation);
    case OpKind::cache:
        return direct() ? 0 : blocking::cache(fd, extent);
    case OpKind::flush:
        break; // run_blocking has seen to it
    }
    return EINVAL;
}

int Device::write_zeroes(Operation& operation) {
    const bool block_device = !is_file(info_);
    const std::uint32_t block = std::max(block_, block_device ? info_.logical_block_size : 1);
    const mapping::Extent all = operation.extent;
    const mapping::Extent middle = whole_blocks::inside(block, all);
    // A null buffer stands for zeroes.
    const auto write = [&](mapping::Extent part) {
        std::uint64_t done = 0;
        const int error = whole_blocks::write(fd_, block_, nullptr, part, false, done);
        operation.progress = part.offset + done - all.offset;
        return error;
    };
    const bool may_punch = !operation.no_hole && may_punch_;
    may_have_holes_ = may_have_holes_ || (may_punch && !block_device);
    int error = EOPNOTSUPP;
    if (middle.length > 0)
        error = blocking::zero(fd_, block_device,
                               {.may_punch = may_punch, .only_fast = operation.fast}, middle);
    if (error == EOPNOTSUPP && operation.fast && middle.length > 0)
        return error;
    if (error == EOPNOTSUPP) {
        error = write(all);
    } else {
        if (error == 0 && middle.offset > all.offset)
            error = write({all.offset, middle.offset - all.offset});
        if (error == 0 && middle.end() < all.end())
            error = write({middle.end(), all.end() - middle.end()});
    }
    if (error == 0 && operation.fua)
        error = sync();
    if (error == 0)
        operation.progress = all.length;
    return error;
}

} // namespace interposed::devices
