#include "devices/file_locks.hpp"
#include "tests/support/temporary_directory.hpp"

#include <catch2/catch.hpp>
#include <fcntl.h>
#include <initializer_list>
#include <system_error>
#include <vector>

using namespace interposed::devices;
using namespace interposed::tests;

namespace {

using Bytes = std::vector<off_t>;

FileDescriptor open_file(const std::string& path, int flags = O_RDONLY) {
    return FileDescriptor(::open(path.c_str(), flags | O_CLOEXEC));
}

struct flock lock_of(short type, off_t byte) {
    struct flock lock = {};
    lock.l_type = type;
    lock.l_whence = SEEK_SET;
    lock.l_start = byte;
    lock.l_len = 1;
    return lock;
}

/// The bytes below 256 on which others have locks, as a new description sees it.
Bytes locked_bytes(const std::string& path) {
    const FileDescriptor other = open_file(path);
    Bytes bytes;
    for (off_t byte = 0; byte < 256; ++byte) {
        struct flock lock = lock_of(F_WRLCK, byte);
        REQUIRE(::fcntl(other.get(), F_OFD_GETLK, &lock) == 0);
        if (lock.l_type != F_UNLCK)
            bytes.push_back(byte);
    }
    return bytes;
}

/// Takes read locks on bytes as qemu does.
FileDescriptor foreign_locks(const std::string& path, std::initializer_list<off_t> bytes) {
    FileDescriptor fd = open_file(path);
    for (const off_t byte : bytes) {
        struct flock lock = lock_of(F_RDLCK, byte);
        REQUIRE(::fcntl(fd.get(), F_OFD_SETLK, &lock) == 0);
    }
    return fd;
}

constexpr auto exclusive = ClaimMode::exclusive;
constexpr auto shared = ClaimMode::shared;
constexpr auto reading = Access::read_only;
constexpr auto writing = Access::read_write;

/// The byte of the conflict that a claim meets; -1: none.
off_t conflict(const std::string& path, ClaimMode mode, Access access) {
    const FileDescriptor fd = open_file(path);
    const auto found = take_locks(fd.get(), lock_rights(mode, access));
    return found ? found->byte : -1;
}

} // namespace

TEST_CASE("each kind of claim locks the bytes that qemu would", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const auto taken = [&](ClaimMode mode, Access access) {
        const FileDescriptor fd = open_file(path);
        REQUIRE_FALSE(take_locks(fd.get(), lock_rights(mode, access)));
        return locked_bytes(path);
    };

    CHECK(taken(exclusive, writing) == Bytes{100, 101, 201, 203});
    CHECK(taken(shared, writing) == Bytes{100, 101, 203});
    CHECK(taken(exclusive, reading) == Bytes{100, 201, 203});
    CHECK(taken(shared, reading) == Bytes{100});
    CHECK(locked_bytes(path).empty());
}

TEST_CASE("each kind of claim is stopped by the bytes that would stop qemu", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const auto stops = [&](ClaimMode mode, Access access) {
        Bytes bytes;
        for (const off_t byte : {100, 101, 103, 200, 201, 203}) {
            const FileDescriptor other = foreign_locks(path, {byte});
            if (conflict(path, mode, access) == byte)
                bytes.push_back(byte);
        }
        return bytes;
    };

    CHECK(stops(exclusive, writing) == Bytes{101, 103, 200, 201});
    CHECK(stops(shared, writing) == Bytes{103, 200, 201});
    CHECK(stops(exclusive, reading) == Bytes{101, 103, 200});
    CHECK(stops(shared, reading) == Bytes{200});
}

TEST_CASE("two claims of ours exclude each other as they say", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const auto beside = [&](ClaimMode first, Access first_access, ClaimMode second,
                            Access second_access) {
        const FileDescriptor fd = open_file(path);
        REQUIRE_FALSE(take_locks(fd.get(), lock_rights(first, first_access)));
        return conflict(path, second, second_access) == -1;
    };

    CHECK_FALSE(beside(exclusive, writing, exclusive, writing));
    CHECK_FALSE(beside(exclusive, writing, shared, writing));
    CHECK_FALSE(beside(exclusive, writing, exclusive, reading));
    CHECK_FALSE(beside(exclusive, reading, shared, writing));
    CHECK_FALSE(beside(shared, writing, exclusive, reading));
    CHECK(beside(exclusive, writing, shared, reading));
    CHECK(beside(exclusive, reading, exclusive, reading));
    CHECK(beside(shared, writing, shared, writing));
    CHECK(beside(shared, writing, shared, reading));
}

TEST_CASE("a conflict gives back the locks already taken", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const FileDescriptor writer = foreign_locks(path, {101});
    const FileDescriptor fd = open_file(path);

    REQUIRE(take_locks(fd.get(), lock_rights(exclusive, reading)));

    CHECK(locked_bytes(path) == Bytes{101});
}

TEST_CASE("raising locks adds what is missing, and nothing if somebody objects", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const FileDescriptor fd = open_file(path);
    REQUIRE_FALSE(take_locks(fd.get(), lock_rights(shared, reading)));
    {
        const FileDescriptor other = foreign_locks(path, {201});
        const auto objection =
            take_locks(fd.get(), lock_rights(shared, writing), lock_rights(shared, reading));
        REQUIRE(objection);
        CHECK(objection->byte == 201);
        CHECK(locked_bytes(path) == Bytes{100, 201});
    }
    CHECK_FALSE(take_locks(fd.get(), lock_rights(shared, writing), lock_rights(shared, reading)));
    CHECK(locked_bytes(path) == Bytes{100, 101, 203});
}

TEST_CASE("the locks survive the closing of another descriptor of the file", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const FileDescriptor fd = open_file(path);
    REQUIRE_FALSE(take_locks(fd.get(), lock_rights(exclusive, writing)));

    { const FileDescriptor other = open_file(path); }

    CHECK(locked_bytes(path) == Bytes{100, 101, 201, 203});
}

TEST_CASE("a process's own write lock is a conflict that names the process", "[devices]") {
    const TemporaryDirectory directory;
    const auto path = directory.make_file("image", 4096);
    const FileDescriptor other = open_file(path, O_RDWR);
    struct flock lock = lock_of(F_WRLCK, 100);
    REQUIRE(::fcntl(other.get(), F_SETLK, &lock) == 0);
    const FileDescriptor fd = open_file(path);

    const auto found = take_locks(fd.get(), lock_rights(shared, reading));

    REQUIRE(found);
    CHECK(found->byte == 100);
    CHECK(found->pid == ::getpid());
}

TEST_CASE("a descriptor without such locks is an error, not a success", "[devices]") {
    CHECK_THROWS_AS(take_locks(-1, lock_rights(shared, reading)), std::system_error);
    const TemporaryDirectory directory;
    const FileDescriptor unreadable = open_file(directory.make_file("image", 1), O_WRONLY);
    CHECK_THROWS_AS(take_locks(unreadable.get(), lock_rights(shared, reading)), std::system_error);
}

TEST_CASE("a lock says what its holder does", "[devices]") {
    CHECK(lock_meaning(100) == "it reads");
    CHECK(lock_meaning(101) == "it writes");
    CHECK(lock_meaning(201) == "nobody else may write");
    CHECK(lock_meaning(203) == "nobody else may resize");
    CHECK(lock_meaning(204) == "unknown");
}
