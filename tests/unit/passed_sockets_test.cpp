#include "server/passed_sockets.hpp"
#include "tests/support/temporary_directory.hpp"

#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace interposed::server {

namespace {

using config::parse_listener;
using devices::FileDescriptor;

std::vector<config::Listener> listeners(const std::vector<std::string>& uris) {
    std::vector<config::Listener> all;
    for (const std::string& uri : uris)
        all.push_back(parse_listener(uri));
    return all;
}

FileDescriptor bound(int type, const std::string& path) {
    FileDescriptor fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const std::size_t length = offsetof(sockaddr_un, sun_path) + path.size();
    REQUIRE(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(length)) == 0);
    return fd;
}

std::string why_not(FileDescriptor fd) {
    try {
        return listening_address({"web", std::move(fd)});
    } catch (const std::runtime_error& why) {
        return why.what();
    }
}

} // namespace

TEST_CASE("a listener that names a passed socket means it, one that names none the rest",
          "[server]") {
    const auto all = listeners({"systemd", "systemd:web", "tcp://h"});
    CHECK(is_meant("web", all[1], all));
    CHECK_FALSE(is_meant("web", all[0], all));
    CHECK_FALSE(is_meant("other", all[1], all));
    CHECK(is_meant("other", all[0], all));
    CHECK(is_meant("unknown", all[0], all));
    CHECK(is_meant("", all[0], all));
}

TEST_CASE("passed sockets that are listened on are known by their address", "[server]") {
    const tests::TemporaryDirectory folder;
    FileDescriptor unix_socket = bound(SOCK_STREAM, folder.file("s"));
    REQUIRE(::listen(unix_socket.get(), 1) == 0);
    CHECK(why_not(std::move(unix_socket)) == "unix://" + folder.file("s"));

    FileDescriptor abstract = bound(SOCK_STREAM, std::string("\0interposed-test", 16));
    REQUIRE(::listen(abstract.get(), 1) == 0);
    CHECK(why_not(std::move(abstract)) == "unix:@interposed-test");

    FileDescriptor tcp(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_addr = in6addr_loopback;
    REQUIRE(::bind(tcp.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(tcp.get(), 1) == 0);
    CHECK(why_not(std::move(tcp)).starts_with("tcp://[::1]:"));
}

TEST_CASE("what was passed and is no listening stream socket is refused by name", "[server]") {
    const tests::TemporaryDirectory folder;
    const std::string wanted = "socket \"web\" that the service manager has passed: want a stream "
                               "socket that is listened on, found ";
    CHECK(why_not(bound(SOCK_DGRAM, folder.file("d"))) == wanted + "a datagram socket");
    CHECK(why_not(bound(SOCK_SEQPACKET, folder.file("q"))) == wanted + "a socket of another type");
    CHECK(why_not(bound(SOCK_STREAM, folder.file("s"))) ==
          wanted + "one that is not (Accept=yes is for servers of one client each)");
    std::array<int, 2> pair{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) == 0);
    const FileDescriptor other(pair[1]);
    CHECK(why_not(FileDescriptor(pair[0])) ==
          wanted + "one that is not (Accept=yes is for servers of one client each)");
    CHECK(why_not(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC))) ==
          wanted + "no socket");
}

} // namespace interposed::server
