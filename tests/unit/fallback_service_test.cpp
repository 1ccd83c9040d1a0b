#include "fallback/service.hpp"
#include "protocol/transmission.hpp"
#include "tests/support/temporary_directory.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace interposed;
using devices::FileDescriptor;
using fallback::Disks;
using protocol::Command;
using protocol::Request;
using protocol::WireError;
namespace flag = protocol::command_flag;

namespace {

constexpr std::uint64_t kib = 1024;
constexpr std::uint64_t tail_size = 4096 * kib;
constexpr std::uint64_t whole_size = 32 * kib + tail_size;

/// Two files as one: the second half of one of 64 KiB, then all of another.
class Fixture {
public:
    Fixture() {
        std::vector<FileDescriptor> files;
        files.emplace_back(open("one", 64 * kib));
        files.emplace_back(open("two", tail_size));
        disks_.emplace(
            std::move(files),
            mapping::Table(
                {{.start = 0, .length = 32 * kib, .device = 0, .device_offset = 32 * kib},
                 {.start = 32 * kib, .length = tail_size, .device = 1, .device_offset = 0}}));
        std::array<int, 2> ends{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
        kernel_ = FileDescriptor(ends[0]);
        service_ = std::thread([this, end = ends[1]] {
            const FileDescriptor ours(end);
            fallback::serve(ours.get(), *disks_);
        });
    }
    ~Fixture() {
        hang_up();
        service_.join();
    }
    Fixture(const Fixture&) = delete;
    Fixture& operator=(const Fixture&) = delete;

    void send(std::span<const std::byte> bytes) const {
        REQUIRE(::send(kernel_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
                static_cast<ssize_t>(bytes.size()));
    }

    /// The error that is answered.
    WireError ask(const Request& request, std::span<const std::byte> payload = {}) const {
        std::array<std::byte, 28> header{};
        protocol::store_be<std::uint32_t>(header.data(), protocol::request_magic);
        protocol::store_be<std::uint16_t>(header.data() + 4, request.flags);
        protocol::store_be<std::uint16_t>(header.data() + 6,
                                          static_cast<std::uint16_t>(request.command));
        protocol::store_be<std::uint64_t>(header.data() + 8, 0x1122334455667788);
        protocol::store_be<std::uint64_t>(header.data() + 16, request.offset);
        protocol::store_be<std::uint32_t>(header.data() + 24,
                                          static_cast<std::uint32_t>(request.length));
        send(header);
        send(payload);
        const auto reply = receive(16);
        CHECK(protocol::load_be<std::uint32_t>(reply.data()) == protocol::simple_reply_magic);
        CHECK(protocol::load_be<std::uint64_t>(reply.data() + 8) == 0x1122334455667788);
        return static_cast<WireError>(protocol::load_be<std::uint32_t>(reply.data() + 4));
    }

    [[nodiscard]] std::vector<std::byte> receive(std::size_t size) const {
        std::vector<std::byte> bytes(size);
        REQUIRE(::recv(kernel_.get(), bytes.data(), size, MSG_WAITALL) ==
                static_cast<ssize_t>(size));
        return bytes;
    }

    [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::uint64_t length) const {
        CHECK(ask({.command = Command::read, .offset = offset, .length = length}) ==
              WireError::none);
        return receive(length);
    }

    /// True: the other end is closed.
    [[nodiscard]] bool is_over() const {
        char byte = 0;
        return ::recv(kernel_.get(), &byte, 1, 0) == 0;
    }
    void hang_up() const { ::shutdown(kernel_.get(), SHUT_RDWR); }
    [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

private:
    [[nodiscard]] int open(const char* name, std::uint64_t bytes) const {
        return ::open(folder_.make_file(name, bytes).c_str(), O_RDWR | O_CLOEXEC);
    }

    tests::TemporaryDirectory folder_;
    std::optional<Disks> disks_;
    FileDescriptor kernel_;
    std::thread service_;
};

std::vector<std::byte> pattern(std::size_t size, unsigned seed) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::byte>(i * 31 + i / 251 + seed);
    return bytes;
}

std::vector<std::byte> in_file(const std::string& path, std::uint64_t offset, std::size_t size) {
    std::vector<std::byte> bytes(size);
    const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    REQUIRE(::pread(fd.get(), bytes.data(), size, static_cast<off_t>(offset)) ==
            static_cast<ssize_t>(size));
    return bytes;
}

} // namespace

TEST_CASE("a stand-in writes to where the table says, and reads from there", "[fallback]") {
    const Fixture fixture;
    const auto data = pattern(16 * kib, 3);
    const Request across{.command = Command::write, .offset = 24 * kib, .length = 16 * kib};
    CHECK(fixture.ask(across, data) == WireError::none);
    CHECK(fixture.read(24 * kib, 16 * kib) == data);
    const std::vector<std::byte> first(data.begin(), data.begin() + 8 * kib);
    const std::vector<std::byte> second(data.begin() + 8 * kib, data.end());
    CHECK(in_file(fixture.file("one"), 56 * kib, 8 * kib) == first);
    CHECK(in_file(fixture.file("two"), 0, 8 * kib) == second);
}

TEST_CASE("a stand-in makes zeroes, discards and flushes", "[fallback]") {
    const Fixture fixture;
    const auto data = pattern(32 * kib, 9);
    CHECK(
        fixture.ask(
            {.command = Command::write, .flags = flag::fua, .offset = 16 * kib, .length = 32 * kib},
            data) == WireError::none);
    for (const unsigned flags : {0U, unsigned{flag::no_hole}, unsigned{flag::fua}})
        CHECK(fixture.ask({.command = Command::write_zeroes,
                           .flags = static_cast<std::uint16_t>(flags),
                           .offset = 28 * kib,
                           .length = 8 * kib}) == WireError::none);
    CHECK(fixture.read(28 * kib, 8 * kib) == std::vector<std::byte>(8 * kib));
    CHECK(fixture.read(16 * kib, 12 * kib) ==
          std::vector<std::byte>(data.begin(), data.begin() + 12 * kib));
    CHECK(fixture.ask({.command = Command::trim, .offset = 0, .length = whole_size}) ==
          WireError::none);
    CHECK(fixture.ask({.command = Command::flush}) == WireError::none);
}

TEST_CASE("what a stand-in cannot do is an error, and the next request is served", "[fallback]") {
    const Fixture fixture;
    CHECK(fixture.ask({.command = Command::read, .offset = whole_size, .length = 512}) ==
          WireError::einval);
    CHECK(fixture.ask({.command = Command::trim, .offset = ~0ULL, .length = 2}) ==
          WireError::einval);
    const auto data = pattern(1024, 1);
    CHECK(fixture.ask({.command = Command::write, .offset = whole_size - 512, .length = 1024},
                      data) == WireError::einval);
    CHECK(fixture.ask({.command = Command::block_status, .offset = 0, .length = 512}) ==
          WireError::einval);
    CHECK(fixture.read(0, 512) == std::vector<std::byte>(512));
}

TEST_CASE("a disk that is shorter than the table says is an error", "[fallback]") {
    const Fixture fixture;
    REQUIRE(::truncate(fixture.file("two").c_str(), 4 * kib) == 0);
    CHECK(fixture.ask({.command = Command::read, .offset = 32 * kib, .length = 8 * kib}) ==
          WireError::eio);
}

TEST_CASE("a stand-in ends when the kernel says goodbye, is gone or lost", "[fallback]") {
    SECTION("a goodbye") {
        const Fixture fixture;
        std::array<std::byte, 28> goodbye{};
        protocol::store_be<std::uint32_t>(goodbye.data(), protocol::request_magic);
        protocol::store_be<std::uint16_t>(goodbye.data() + 6, 2);
        fixture.send(goodbye);
        CHECK(fixture.is_over());
    }
    SECTION("what is no request") {
        const Fixture fixture;
        fixture.send(std::array<std::byte, 28>{});
        CHECK(fixture.is_over());
    }
    SECTION("half a request") {
        const Fixture fixture;
        fixture.send(std::array<std::byte, 5>{});
    }
    SECTION("a payload that is larger than any") {
        const Fixture fixture;
        std::array<std::byte, 28> header{};
        protocol::store_be<std::uint32_t>(header.data(), protocol::request_magic);
        protocol::store_be<std::uint16_t>(header.data() + 6, 1);
        protocol::store_be<std::uint32_t>(header.data() + 24, (1U << 25U) + 512);
        fixture.send(header);
        CHECK(fixture.is_over());
    }
}

TEST_CASE("a request larger than any before it finds room", "[fallback]") {
    const Fixture fixture;
    const auto data = pattern(3072 * kib, 5);
    CHECK(fixture.ask({.command = Command::write, .offset = 512, .length = data.size()}, data) ==
          WireError::none);
    CHECK(fixture.read(512, data.size()) == data);
}
