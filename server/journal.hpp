#pragma once

#include "devices/file_descriptor.hpp"
#include "server/log.hpp"
#include "server/log_output.hpp"

#include <string>
#include <string_view>

/// systemd's journal, spoken to in its own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL), so that
/// what a line is about becomes fields that can be searched for.
namespace interposed::server::log {

/// Whether what is written to the descriptor goes to the journal anyway: JOURNAL_STREAM, its text,
/// names it.
bool is_journal(const char* stream, int fd);

/// One entry, and the NUL that ends it in a queue. Pure. Control characters, which may have come
/// from a client or a file name, are made harmless.
std::string journal_entry(Level level, std::string_view message, const Fields& fields);

/// Entries to the journal's socket. One that it does not take becomes a line, with its priority as
/// sd-daemon(3) wants it, to the descriptor, which is not closed.
class EntriesTo final : public LogOutput {
public:
    static constexpr const char* usual_path = "/run/systemd/journal/socket";

    EntriesTo(std::string path, int otherwise);
    [[nodiscard]] char end() const override { return '\0'; }
    std::uint64_t write(std::string_view records) override;

private:
    [[nodiscard]] bool send(std::string_view entry) const;

    const std::string path_;
    devices::FileDescriptor socket_;
    LinesTo otherwise_;
};

} // namespace interposed::server::log
