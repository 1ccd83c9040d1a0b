#pragma once

#include <cstddef>
#include <string_view>

namespace interposed::ctl {

/// Of standard output, if it is a terminal.
bool is_terminal();

struct TerminalSize {
    std::size_t columns = 80;
    std::size_t lines = 24;
};

/// What the terminal says, else $COLUMNS, else the usual.
TerminalSize terminal_size();

/// Everything is written through this: throws LocalFailure where it cannot be, at a full disk.
void print(std::string_view text);

/// From now on SIGINT ends the program at once with this status. Nothing has to be put in order:
/// what is printed is whole, and the server does not depend on us.
void end_on_interrupt(int status);

/// From now on SIGINT, SIGTERM and SIGHUP wait: what has been begun is finished or undone.
void do_not_interrupt();

} // namespace interposed::ctl
