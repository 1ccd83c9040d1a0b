#include "devices/file_descriptor.hpp"
#include "server/log.hpp"
#include "server/log_writer.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <fcntl.h>
#include <map>
#include <optional>
#include <sstream>
#include <thread>
#include <unistd.h>
#include <vector>

namespace interposed::server {

namespace {

using namespace std::chrono_literals;

std::string dropped_line(std::uint64_t lines) {
    return "dropped " + std::to_string(lines) + "\n";
}

/// A pipe that takes no more than what is read from it.
struct FullPipe {
    FullPipe() {
        int ends[2];
        REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
        from = devices::FileDescriptor(ends[0]);
        to = devices::FileDescriptor(ends[1]);
        const int room = ::fcntl(to.get(), F_GETPIPE_SZ);
        REQUIRE(room > 0);
        filling = static_cast<std::size_t>(room);
        const std::string fill(filling, '.');
        REQUIRE(::write(to.get(), fill.data(), fill.size()) == room);
    }

    /// Takes the filling out, and then everything else until `last` has come.
    std::string drain(const std::string& last) {
        std::string all;
        while (all.size() < filling || !all.ends_with(last)) {
            char some[4096];
            const ssize_t got = ::read(from.get(), some, sizeof some);
            REQUIRE(got > 0);
            all.append(some, static_cast<std::size_t>(got));
        }
        return all.substr(filling);
    }

    devices::FileDescriptor from;
    devices::FileDescriptor to;
    std::size_t filling = 0;
};

/// Until the writer's thread has it in hand, and no more in the queue, or nearly so.
void let_it_begin() {
    std::this_thread::sleep_for(50ms);
}

} // namespace

TEST_CASE("lines are written in the order in which they were put", "[server]") {
    FullPipe pipe;
    LogWriter writer(pipe.to.get(), dropped_line);
    std::string wanted;
    for (int i = 0; i < 10'000; ++i) {
        const std::string line = std::to_string(i) + "\n";
        writer.put(line);
        wanted += line;
    }
    CHECK(pipe.drain("9999\n") == wanted);
    CHECK(writer.flush());
    CHECK(writer.dropped() == 0);
}

TEST_CASE("a full pipe holds up nobody, and later tells how many lines are missing", "[server]") {
    FullPipe pipe;
    LogWriter writer(pipe.to.get(), dropped_line, 100);
    writer.put("first\n");
    let_it_begin();
    writer.put(std::string(70, 'x') + "\n");
    for (int i = 0; i < 1000; ++i)
        writer.put(std::string(30, 'y') + "\n");
    writer.put("z\n"); // there is room, but not at its place
    CHECK(writer.dropped() == 1001);
    CHECK_FALSE(writer.flush(LogWriter::Clock::now() + 10ms));

    CHECK(pipe.drain("dropped 1001\n") == "first\n" + std::string(70, 'x') + "\ndropped 1001\n");
    CHECK(writer.flush());
    writer.put("again\n");
    CHECK(writer.flush());
    writer.put("and again\n");
    pipe.filling = 0;
    CHECK(pipe.drain("and again\n") == "again\nand again\n");
    CHECK(writer.dropped() == 1001);
}

TEST_CASE("a line that never has room is dropped, and said to be", "[server]") {
    FullPipe pipe;
    LogWriter writer(pipe.to.get(), dropped_line, 10);
    writer.put("this is too much\n");
    CHECK(pipe.drain("\n") == "dropped 1\n");
}

TEST_CASE("a writer whose reader does not come ends all the same", "[server]") {
    FullPipe pipe;
    const auto began = LogWriter::Clock::now();
    { LogWriter(pipe.to.get(), dropped_line).put("never read\n"); }
    const auto took = LogWriter::Clock::now() - began;
    CHECK(took >= LogWriter::patience);
    CHECK(took < LogWriter::patience + 10s);
    CHECK(pipe.drain("\n") == "never read\n"); // by the thread that was left behind
}

TEST_CASE("a writer writes what it has before it ends", "[server]") {
    FullPipe pipe;
    std::thread reader;
    std::string read;
    {
        LogWriter writer(pipe.to.get(), dropped_line);
        writer.put("one\n");
        writer.put("two\n");
        reader = std::thread([&] { read = pipe.drain("two\n"); });
    }
    reader.join();
    CHECK(read == "one\ntwo\n");
}

TEST_CASE("a descriptor that cannot be written to loses lines, and they are counted", "[server]") {
    const devices::FileDescriptor full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    REQUIRE(full.get() >= 0);
    LogWriter writer(full.get(), dropped_line);
    for (std::uint64_t i = 1; i <= 3; ++i) {
        writer.put("line\n");
        CHECK(writer.flush());
        CHECK(writer.dropped() == i);
    }
}

TEST_CASE("a non-blocking descriptor is waited for", "[server]") {
    FullPipe pipe;
    REQUIRE(::fcntl(pipe.to.get(), F_SETFL, O_NONBLOCK) == 0);
    LogWriter writer(pipe.to.get(), dropped_line);
    writer.put("patient\n");
    let_it_begin();
    CHECK(pipe.drain("\n") == "patient\n");
    CHECK(writer.dropped() == 0);
}

TEST_CASE("of many threads each has its lines in order, and all are there or counted", "[server]") {
    constexpr int threads = 4;
    constexpr int lines = 5000;
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    devices::FileDescriptor from(ends[0]);
    std::optional<devices::FileDescriptor> to(ends[1]);
    std::string all;
    std::thread reader([&] {
        char some[4096];
        for (ssize_t got = 0; (got = ::read(from.get(), some, sizeof some)) > 0;)
            all.append(some, static_cast<std::size_t>(got));
    });
    std::uint64_t dropped = 0;
    {
        LogWriter writer(to->get(), dropped_line, 4096);
        std::vector<std::thread> talkers;
        for (int id = 0; id < threads; ++id)
            talkers.emplace_back([&writer, id] {
                for (int i = 0; i < lines; ++i)
                    writer.put(std::to_string(id) + " " + std::to_string(i) + "\n");
            });
        for (std::thread& each : talkers)
            each.join();
        CHECK(writer.flush());
        dropped = writer.dropped();
    }
    to.reset();
    reader.join();

    std::uint64_t written = 0;
    std::uint64_t reported = 0;
    std::map<std::string, int> last;
    bool in_order = true;
    std::istringstream words(all);
    for (std::string who; words >> who;) {
        int number = 0;
        words >> number;
        if (who == "dropped") {
            reported += static_cast<std::uint64_t>(number);
            continue;
        }
        ++written;
        in_order = in_order && (!last.contains(who) || last[who] < number);
        last[who] = number;
    }
    CHECK(in_order);
    CHECK(reported == dropped);
    CHECK(written + dropped == std::uint64_t{threads} * lines);
}

TEST_CASE("what is less important than wanted is not said", "[server]") {
    CHECK(log::enabled(log::Level::error));
    CHECK(log::enabled(log::Level::info));
    CHECK_FALSE(log::enabled(log::Level::debug));
    log::configure(log::Level::warning, config::LogFormat::text);
    CHECK(log::enabled(log::Level::warning));
    CHECK_FALSE(log::enabled(log::Level::info));
    log::configure(log::Level::info, config::LogFormat::text);
}

} // namespace interposed::server
