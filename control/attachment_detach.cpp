#include "attach/kernel_device.hpp"
#include "control/attachment.hpp"
#include "devices/holders.hpp"
#include "devices/probe.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <system_error>

// How an attachment ends when somebody asks for it.
namespace interposed::control {

namespace {

/// The claim of a device that is to go away: nobody else comes to use it while this lives. It is
/// opened for a moment, which may make the kernel look for partitions: reads that this very server
/// answers. Throws Refusal, naming who uses it.
devices::FileDescriptor claim_unused(unsigned index) {
    const std::string path = attach::path_of(index);
    devices::FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_EXCL | O_CLOEXEC));
    if (fd || errno == ENXIO) // it has no size: nobody can use it
        return fd;
    std::string found = std::generic_category().message(errno);
    if (errno == EBUSY) {
        try {
            found = devices::describe_holders(devices::probe(path));
        } catch (const std::exception&) {
            found.clear();
        }
    }
    throw Refusal(RefusalKind::refused,
                  path + ": want it unused, found it " + (found.empty() ? "busy" : found));
}

} // namespace

asio::awaitable<void> Attachment::detach(bool force) {
    const auto self = shared_from_this();
    detaching_ = true;
    changed_.cancel();
    co_await wait_until([this] { return !wiring_; }, Clock::time_point::max());
    std::exception_ptr failed;
    if (told_ && state_ != State::left) {
        enum : int { open, begun, called_off };
        const auto stage = std::make_shared<std::atomic<int>>(open);
        const auto move_to = [stage](int next) {
            int before = open;
            return stage->compare_exchange_strong(before, next);
        };
        auto work = [index = told_->index, force, identifier = wish_.identifier, move_to] {
            const auto claimed = force ? devices::FileDescriptor() : claim_unused(index);
            const auto found = attach::look_at(index);
            if (!found || !found->connected || found->identifier != identifier)
                return;
            if (!move_to(begun))
                throw Refusal(RefusalKind::timeout, "detaching was called off");
            attach::NbdNetlink().disconnect(index);
        };
        std::function<bool()> cancel = [move_to] { return move_to(called_off); };
        try {
            co_await jobs_.run("detaching", std::move(work), Clock::now() + kernel_deadline,
                               std::move(cancel));
        } catch (...) {
            failed = std::current_exception();
        }
    }
    detaching_ = false;
    ending_ = !failed;
    changed_.cancel();
    if (failed)
        std::rethrow_exception(failed);
    state_ = State::left;
    co_await wait_until([this] { return sessions_ == 0; }, Clock::now() + kernel_deadline);
    drop_lease();
}

} // namespace interposed::control
