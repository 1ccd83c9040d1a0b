#include "interposectl/terminal.hpp"

#include "interposectl/errors.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

namespace interposed::ctl {
namespace {

volatile std::sig_atomic_t interrupted_status = 0;

void interrupted(int) {
    ::_exit(interrupted_status);
}

} // namespace

bool is_terminal() {
    return ::isatty(STDOUT_FILENO) == 1;
}

TerminalSize terminal_size() {
    TerminalSize size;
    winsize window{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0)
        return {.columns = window.ws_col, .lines = window.ws_row};
    if (const char* const columns = std::getenv("COLUMNS"); columns != nullptr)
        std::from_chars(columns, columns + std::strlen(columns), size.columns);
    return size;
}

void print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t put = ::write(STDOUT_FILENO, text.data(), text.size());
        if (put >= 0)
            text.remove_prefix(static_cast<std::size_t>(put));
        else if (errno != EINTR)
            throw LocalFailure("standard output: " + std::generic_category().message(errno));
    }
}

void do_not_interrupt() {
    sigset_t ends;
    ::sigemptyset(&ends);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE})
        ::sigaddset(&ends, signal);
    ::sigprocmask(SIG_BLOCK, &ends, nullptr);
}

void end_on_interrupt(int status) {
    interrupted_status = status;
    struct sigaction action {};
    action.sa_handler = interrupted;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
}

} // namespace interposed::ctl
