#include "server/log.hpp"

#include <cstdlib>
#include <string>
#include <unistd.h>

namespace interposed::server::log {

namespace {

/// In one write, so that lines of several threads do not mix. Control characters, which may have
/// come from a client or a file name, are made harmless.
void write_line(const char* journal_prefix, const char* prefix, std::string_view line) {
    static const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    std::string out(journal ? journal_prefix : "");
    out += prefix;
    for (const char c : line)
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    out += '\n';
    for (std::string_view left = out; !left.empty();) {
        const ssize_t put = ::write(STDERR_FILENO, left.data(), left.size());
        if (put <= 0)
            return;
        left.remove_prefix(static_cast<std::size_t>(put));
    }
}

} // namespace

void info(std::string_view line) {
    write_line("<6>", "interposed: ", line);
}
void warning(std::string_view line) {
    write_line("<4>", "interposed: warning: ", line);
}
void error(std::string_view line) {
    write_line("<3>", "interposed: error: ", line);
}
void ready() {
    write_line("<6>", "", "ready");
}

} // namespace interposed::server::log
