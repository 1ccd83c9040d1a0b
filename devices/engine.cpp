#include "devices/engine.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <liburing.h>

namespace interposed::devices {

namespace {

constexpr unsigned ring_entries = 256;
constexpr unsigned holdable_files = 1024;
/// Requests that io_uring cannot do without waiting go to kernel threads, whose number is
/// bounded for a process. Devices that are known to need them use workers of their own instead;
/// this is for the rest, so that a few stuck ones leave room for others.
constexpr unsigned kernel_workers = 128;
constexpr std::size_t reaped_at_once = 64;

} // namespace

struct Engine::State {
    io_uring ring{};
    bool can_hold = false;
    std::array<bool, holdable_files> held{};

    ~State() { io_uring_queue_exit(&ring); }

    static std::unique_ptr<State> make() {
        auto state = std::make_unique<State>();
        // Without COOP_TASKRUN (before 5.19) every completion would interrupt the thread.
        for (const unsigned flags : {unsigned{IORING_SETUP_COOP_TASKRUN}, 0U}) {
            if (io_uring_queue_init(ring_entries, &state->ring, flags) == 0) {
                state->prepare();
                return state;
            }
        }
        state.release(); // never initialised: nothing to exit
        return nullptr;
    }

    int hold(int fd) {
        const auto free = std::find(held.begin(), held.end(), false);
        if (free == held.end())
            return -1;
        const auto slot = static_cast<unsigned>(free - held.begin());
        if (io_uring_register_files_update(&ring, slot, &fd, 1) != 1)
            return -1;
        *free = true;
        return static_cast<int>(slot);
    }

    void release(unsigned slot) {
        const int none = -1;
        io_uring_register_files_update(&ring, slot, const_cast<int*>(&none), 1);
        held[slot] = false;
    }

private:
    void prepare() {
        can_hold = io_uring_register_files_sparse(&ring, holdable_files) == 0;
        std::array<unsigned, 2> workers{kernel_workers, kernel_workers};
        io_uring_register_iowq_max_workers(&ring, workers.data());
    }
};

Engine::Engine(Ring wish) {
    if (wish == Ring::if_possible)
        ring_ = State::make();
}

Engine::~Engine() = default;

int Engine::wait_fd() const {
    return ring_ ? ring_->ring.ring_fd : -1;
}

bool Engine::start(RingUser& user, Operation& operation, int fd, int rw_flags) {
    if (!ring_)
        return false;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock)
        return false;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_->ring);
    if (sqe == nullptr) {
        submit_locked();
        sqe = io_uring_get_sqe(&ring_->ring);
        if (sqe == nullptr)
            return false;
    }
    const std::uint64_t at = operation.extent.offset + operation.progress;
    const auto left = static_cast<unsigned>(operation.extent.length - operation.progress);
    std::byte* data = operation.data + operation.progress;
    if (operation.kind == OpKind::write)
        io_uring_prep_write(sqe, fd, data, left, at);
    else
        io_uring_prep_read(sqe, fd, data, left, at);
    sqe->rw_flags = rw_flags;
    operation.ring_user = &user;
    io_uring_sqe_set_data(sqe, &operation);
    ++queued_;
    ++in_flight_;
    return true;
}

void Engine::submit_locked() {
    // EBUSY (completions must be reaped first) leaves the entries queued for the next reap, which
    // those completions bring about.
    int sent = 0;
    do {
        sent = io_uring_submit(&ring_->ring);
    } while (sent == -EAGAIN || sent == -EINTR);
    if (sent > 0)
        queued_ -= static_cast<std::size_t>(sent);
}

// Who finds the lock taken may leave: whoever holds it either sends off all that is queued, or
// calls flush() afterwards.
void Engine::flush() {
    if (queued_ == 0)
        return;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock)
        submit_locked();
}

std::size_t Engine::reap() {
    if (!ring_)
        return 0;
    struct Finished {
        Operation* operation;
        std::int32_t result;
    };
    std::array<Finished, reaped_at_once> finished;
    std::size_t count = 0;
    {
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock)
            return 0;
        if (queued_ > 0)
            submit_locked();
        io_uring_cqe* cqe = nullptr;
        while (count < finished.size() && io_uring_peek_cqe(&ring_->ring, &cqe) == 0) {
            finished[count++] = {static_cast<Operation*>(io_uring_cqe_get_data(cqe)), cqe->res};
            io_uring_cqe_seen(&ring_->ring, cqe);
        }
        in_flight_ -= count;
    }
    for (std::size_t i = 0; i < count; ++i) {
        Operation& operation = *finished[i].operation;
        operation.ring_user->ring_done(*this, operation, finished[i].result);
    }
    return count;
}

int Engine::hold(int fd) {
    if (!ring_ || !ring_->can_hold)
        return -1;
    int held = -1;
    {
        const std::lock_guard lock(mutex_);
        held = ring_->hold(fd);
    }
    flush();
    return held;
}

void Engine::release(int slot) {
    {
        const std::lock_guard lock(mutex_);
        ring_->release(static_cast<unsigned>(slot));
    }
    flush();
}

} // namespace interposed::devices
