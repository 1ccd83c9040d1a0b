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
constexpr unsigned most_attempts = 64;

} // namespace

struct Engine::State {
    io_uring ring{};
    bool exists = false;
    bool refuses = false; ///< the kernel takes nothing and will not learn it
    bool can_hold = false;
    std::array<bool, holdable_files> held{};

    State() = default;
    ~State() {
        if (exists)
            io_uring_queue_exit(&ring);
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    static std::unique_ptr<State> make() {
        auto state = std::make_unique<State>();
        // Without COOP_TASKRUN (before 5.19) every completion would interrupt the thread.
        for (const unsigned flags : {unsigned{IORING_SETUP_COOP_TASKRUN}, 0U}) {
            if (io_uring_queue_init(ring_entries, &state->ring, flags) == 0) {
                state->exists = true;
                state->prepare();
                return state;
            }
        }
        return nullptr;
    }

    /// Takes back what is queued and not in the kernel.
    std::vector<Operation*> take_back() {
        std::vector<Operation*> queued;
        io_uring_sq& sq = ring.sq;
        const unsigned head = io_uring_smp_load_acquire(sq.khead);
        for (unsigned at = head; at != sq.sqe_tail; ++at) {
            const io_uring_sqe& sqe = sq.sqes[at & *sq.kring_mask];
            queued.push_back(reinterpret_cast<Operation*>(sqe.user_data));
        }
        sq.sqe_head = sq.sqe_tail = head;
        io_uring_smp_store_release(sq.ktail, head);
        return queued;
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
    std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock || ring_->refuses)
        return false;
    io_uring_sqe* sqe = io_uring_get_sqe(&ring_->ring);
    if (sqe == nullptr) {
        const auto refused = submit_locked();
        sqe = refused.empty() ? io_uring_get_sqe(&ring_->ring) : nullptr;
        if (sqe == nullptr) {
            lock.unlock();
            return_all(refused);
            return false;
        }
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

/// Returns what the kernel would not take, if that would otherwise wait for ever.
std::vector<Operation*> Engine::submit_locked() {
    int sent = 0;
    unsigned attempts = 0;
    do {
        sent = io_uring_submit(&ring_->ring);
    } while ((sent == -EAGAIN || sent == -EINTR) && ++attempts < most_attempts);
    if (sent >= 0) {
        queued_ -= static_cast<std::size_t>(sent);
        return {};
    }
    // While others are in the kernel their completions bring about the next reap, which tries
    // again; EBUSY is even that they must be reaped first.
    const bool transient = sent == -EAGAIN || sent == -EINTR || sent == -EBUSY || sent == -ENOMEM;
    if (transient && in_flight_ > queued_)
        return {};
    ring_->refuses = !transient;
    auto refused = ring_->take_back();
    queued_ -= refused.size();
    in_flight_ -= refused.size();
    return refused;
}

/// Without the lock: who is told may start something else.
void Engine::return_all(const std::vector<Operation*>& refused) {
    for (Operation* operation : refused)
        operation->ring_user->ring_done(*this, *operation, -EAGAIN);
}

// Who finds the lock taken may leave: whoever holds it either sends off all that is queued, or
// calls flush() afterwards.
void Engine::flush() {
    if (queued_ == 0)
        return;
    std::vector<Operation*> refused;
    {
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (lock)
            refused = submit_locked();
    }
    return_all(refused);
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
    std::vector<Operation*> refused;
    {
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (!lock)
            return 0;
        io_uring_cqe* cqe = nullptr;
        while (count < finished.size() && io_uring_peek_cqe(&ring_->ring, &cqe) == 0) {
            finished[count++] = {static_cast<Operation*>(io_uring_cqe_get_data(cqe)), cqe->res};
            io_uring_cqe_seen(&ring_->ring, cqe);
        }
        in_flight_ -= count;
        if (queued_ > 0) // behind the completions, which the kernel may have wanted reaped first
            refused = submit_locked();
    }
    return_all(refused);
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
