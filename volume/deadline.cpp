#include "volume/deadline.hpp"

#include <cerrno>
#include <system_error>

namespace interposed::volume {
namespace {

void ignore(int) {}

} // namespace

Deadline::Deadline(std::chrono::seconds limit) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGALRM;
    if (::timer_create(CLOCK_MONOTONIC, &event, &timer_) != 0)
        throw std::system_error(errno, std::generic_category(), "cannot make a timer");
    struct sigaction handler {};
    handler.sa_handler = ignore; // without SA_RESTART
    ::sigaction(SIGALRM, &handler, &handler_before_);
    sigset_t others;
    ::sigfillset(&others);
    ::sigdelset(&others, SIGALRM);
    ::sigprocmask(SIG_SETMASK, &others, &before_);
    // Repeated: the first may come just before the wait begins.
    itimerspec when{};
    when.it_value.tv_sec = limit.count();
    when.it_interval.tv_nsec = 100'000'000;
    ::timer_settime(timer_, 0, &when, nullptr);
}

Deadline::~Deadline() {
    ::timer_delete(timer_);
    ::sigaction(SIGALRM, &handler_before_, nullptr);
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace interposed::volume
