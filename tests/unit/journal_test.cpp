#include "server/journal.hpp"
#include "server/log_writer.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace interposed::server::log {

namespace {

using namespace std::string_literals;

/// In the place of systemd's, at a path of our own.
class Journal {
public:
    explicit Journal(const std::string& path)
        : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un here{};
        here.sun_family = AF_UNIX;
        path.copy(here.sun_path, sizeof here.sun_path - 1);
        REQUIRE(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0);
    }

    /// Waits for it.
    std::string entry() {
        char bytes[4096];
        const ssize_t got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
        REQUIRE(got > 0);
        return {bytes, static_cast<std::size_t>(got)};
    }

private:
    devices::FileDescriptor socket_;
};

struct Pipe {
    Pipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        from = devices::FileDescriptor(ends[0]);
        to = devices::FileDescriptor(ends[1]);
    }
    std::string read() const {
        char bytes[4096];
        const ssize_t got = ::read(from.get(), bytes, sizeof bytes);
        REQUIRE(got > 0);
        return {bytes, static_cast<std::size_t>(got)};
    }
    devices::FileDescriptor from;
    devices::FileDescriptor to;
};

std::string dropped_entry(std::uint64_t) {
    return "PRIORITY=4\nMESSAGE=dropped\n\0"s;
}

} // namespace

TEST_CASE("an entry of the journal has what a line is about in fields", "[server]") {
    const Fields all{.session = 12, .client = "[::1]:4711", .export_name = "vol0", .device = "/x"};
    CHECK(journal_entry(Level::error, "oh", all) == "PRIORITY=3\n"
                                                    "SYSLOG_IDENTIFIER=interposed\n"
                                                    "MESSAGE=oh\n"
                                                    "INTERPOSED_SESSION=12\n"
                                                    "INTERPOSED_CLIENT=[::1]:4711\n"
                                                    "INTERPOSED_EXPORT=vol0\n"
                                                    "INTERPOSED_DEVICE=/x\n\0"s);
    CHECK(journal_entry(Level::info, "", {.export_name = ""}) ==
          "PRIORITY=6\nSYSLOG_IDENTIFIER=interposed\nMESSAGE=\nINTERPOSED_EXPORT=\n\0"s);
}

TEST_CASE("no text can begin a field of its own", "[server]") {
    CHECK(journal_entry(Level::debug, "a\nPRIORITY=0\nb\0c"s,
                        {.device = "/x\nMESSAGE=all is well"}) ==
          "PRIORITY=7\nSYSLOG_IDENTIFIER=interposed\nMESSAGE=a?PRIORITY=0?b?c\n"
          "INTERPOSED_DEVICE=/x?MESSAGE=all is well\n\0"s);
}

TEST_CASE("a log that goes to the journal is an entry after the other", "[server]") {
    const tests::TemporaryDirectory folder;
    const Pipe otherwise;
    Journal journal(folder.file("socket"));
    LogWriter writer(std::make_shared<EntriesTo>(folder.file("socket"), otherwise.to.get()),
                     dropped_entry);
    for (const std::string text : {"first", "second"}) {
        const std::string entry = journal_entry(Level::info, text, {});
        writer.put(entry);
        CHECK(journal.entry() + '\0' == entry);
    }
    CHECK(writer.flush());
    CHECK(writer.dropped() == 0);
}

TEST_CASE("what the journal does not take goes where it would have without it", "[server]") {
    const tests::TemporaryDirectory folder;
    const Pipe otherwise;
    LogWriter writer(std::make_shared<EntriesTo>(folder.file("nobody"), otherwise.to.get()),
                     dropped_entry);
    writer.put(journal_entry(Level::warning, "is anybody there?", {.session = 1}));
    CHECK(otherwise.read() == "<4>interposed: is anybody there?\n");
    CHECK(writer.dropped() == 0);
}

TEST_CASE("stderr is the journal only if it is what the environment says", "[server]") {
    const Pipe one;
    const Pipe other;
    struct stat found {};
    REQUIRE(::fstat(one.to.get(), &found) == 0);
    const std::string stream = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino);
    CHECK(is_journal(stream.c_str(), one.to.get()));
    CHECK_FALSE(is_journal(stream.c_str(), other.to.get()));
    CHECK_FALSE(is_journal(nullptr, one.to.get()));
    for (const char* wrong : {"", "x", "1", "1:", ":", "1:x"})
        CHECK_FALSE(is_journal(wrong, one.to.get()));
}

} // namespace interposed::server::log
