#include "server/journal.hpp"

#include "server/log_line.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <iterator>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <utility>

namespace interposed::server::log {

namespace {

/// What the journal has not read yet; more waits in the log's own queue.
constexpr int send_buffer = 1 << 20;

void append(std::string& out, std::string_view key, std::string_view value) {
    out += key;
    out += '=';
    append_printable(out, value);
    out += '\n';
}

void append_field(std::string& out, std::string_view name, std::string_view value) {
    std::string key = "INTERPOSED_";
    std::transform(name.begin(), name.end(), std::back_inserter(key),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    append(out, key, value);
}

void append_field(std::string& out, std::string_view name, std::uint64_t value) {
    append_field(out, name, std::to_string(value));
}

std::string_view value_of(std::string_view entry, std::string_view key) {
    for (std::size_t at = 0; at < entry.size();) {
        const std::size_t line_end = std::min(entry.find('\n', at), entry.size());
        const std::string_view line = entry.substr(at, line_end - at);
        if (line.starts_with(key) && line.substr(key.size()).starts_with('='))
            return line.substr(key.size() + 1);
        at = line_end + 1;
    }
    return {};
}

} // namespace

bool is_journal(const char* stream, int fd) {
    struct stat found {};
    if (stream == nullptr || ::fstat(fd, &found) != 0)
        return false;
    const std::string_view text(stream);
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    const auto first = std::from_chars(text.data(), text.data() + text.size(), device);
    if (first.ec != std::errc() || first.ptr == text.data() + text.size() || *first.ptr != ':')
        return false;
    const auto second = std::from_chars(first.ptr + 1, text.data() + text.size(), inode);
    return second.ec == std::errc() && device == found.st_dev && inode == found.st_ino;
}

std::string journal_entry(Level level, std::string_view message, const Fields& fields) {
    std::string out;
    append(out, "PRIORITY", std::to_string(priority_of(level)));
    append(out, "SYSLOG_IDENTIFIER", "interposed");
    append(out, "MESSAGE", message);
    for_each_field(fields, [&out](std::string_view name, const auto& value) {
        append_field(out, name, value);
    });
    out += '\0';
    return out;
}

EntriesTo::EntriesTo(std::string path, int otherwise)
    : path_(std::move(path)), socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)),
      otherwise_(otherwise) {
    (void)::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof send_buffer);
}

/// To the path each time: the journal may have been started anew.
bool EntriesTo::send(std::string_view entry) const {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path_.copy(to.sun_path, sizeof to.sun_path - 1);
    ssize_t sent = -1;
    do
        sent = ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                        reinterpret_cast<const sockaddr*>(&to), sizeof to);
    while (sent < 0 && errno == EINTR);
    return sent >= 0;
}

std::uint64_t EntriesTo::write(std::string_view records) {
    std::uint64_t lost = 0;
    while (!records.empty()) {
        const std::size_t length = std::min(records.find(end()), records.size() - 1);
        const std::string_view entry = records.substr(0, length);
        if (!send(entry)) {
            const std::string line = "<" + std::string(value_of(entry, "PRIORITY")) +
                                     ">interposed: " + std::string(value_of(entry, "MESSAGE")) +
                                     "\n";
            lost += otherwise_.write(line);
        }
        records.remove_prefix(length + 1);
    }
    return lost;
}

} // namespace interposed::server::log
