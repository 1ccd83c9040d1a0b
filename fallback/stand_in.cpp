#include "fallback/stand_in.hpp"

#include "attach/kernel_device.hpp"
#include "attach/nbd_netlink.hpp"
#include "devices/file_descriptor.hpp"
#include "fallback/service.hpp"
#include "volume/residence.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <thread>
#include <unistd.h>

namespace interposed::fallback {
namespace {

using devices::FileDescriptor;

constexpr std::chrono::milliseconds taken_after{50};

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

/// In place of those that are dead. What the kernel knows of the device stays as it is.
void give_to_kernel(const Guarded& one, int socket) {
    const auto found = attach::find_attached(one.identifier);
    if (!found)
        throw std::runtime_error(one.device + ": it is not attached any more");
    const attach::KernelExport what{.index = found->index,
                                    .size = found->size,
                                    .block_size = found->block_size,
                                    .flags = 0, // are not told again
                                    .timeout_s = one.timeout_s,
                                    .dead_conn_timeout_s = one.dead_conn_timeout_s,
                                    .identifier = one.identifier};
    attach::NbdNetlink().reconfigure(what, std::span(&socket, 1));
}

} // namespace

StandIn::StandIn(const Guarded& one) : one_(one), disks_(Disks::of(one.before)) {}

StandIn::~StandIn() {
    if (process_ <= 0)
        return;
    ::kill(process_, SIGKILL);
    (void)::waitpid(process_, nullptr, 0);
}

bool StandIn::runs() {
    if (process_ > 0 && ::waitpid(process_, nullptr, WNOHANG) == process_)
        process_ = -1;
    return process_ > 0;
}

/// A process of its own: others are forked meanwhile, and a page that the kernel reads into must
/// not become a copy.
void StandIn::serve_and_exit(int socket, pid_t parent) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent)
        ::_exit(1);
    (void)volume::stay_resident(); // locks are not inherited
    try {
        serve(socket, disks_);
    } catch (const std::exception&) { // there is no memory: it is tried again
        ::_exit(1);
    }
    ::_exit(0);
}

void StandIn::keep() {
    if (runs())
        return;
    std::array<int, 2> ends{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
        fail("cannot make a pair of sockets");
    FileDescriptor kernels(ends[0]);
    FileDescriptor ours(ends[1]);
    const pid_t parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) {
        ::close(kernels.get()); // else it would not see the kernel's end close
        serve_and_exit(ours.get(), parent);
    }
    if (process_ < 0)
        fail("cannot make a process that serves");
    ours = FileDescriptor();
    give_to_kernel(one_, kernels.get());
    // Where no socket was dead yet the kernel says nothing, and closes it.
    kernels = FileDescriptor();
    std::this_thread::sleep_for(taken_after);
    if (!runs())
        throw std::runtime_error(one_.device + ": the kernel has not taken a new socket");
}

} // namespace interposed::fallback
