#include "control/kept_sockets.hpp"
#include "tests/support/service_manager.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace interposed::control {

namespace {

using devices::FileDescriptor;
using server::Passed;
using tests::ServiceManager;

/// The kernel's end of an attachment's socket, and ours.
struct Pair {
    Pair() {
        int ends[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        kernels = FileDescriptor(ends[0]);
        ours = FileDescriptor(ends[1]);
    }
    FileDescriptor kernels;
    FileDescriptor ours;
};

attach::KernelExport told(unsigned index, const std::string& identifier) {
    return {.index = index,
            .size = std::uint64_t{5} << 40U,
            .block_size = 4096,
            .flags = 0x10d,
            .timeout_s = 5,
            .dead_conn_timeout_s = 600,
            .identifier = identifier};
}

Attachment::Handed handed(attach::KernelExport what, FileDescriptor socket,
                          std::vector<std::byte> unread) {
    Attachment::Handed one{.told = std::move(what), .sockets = {}};
    one.sockets.push_back({.fd = std::move(socket), .unread = std::move(unread)});
    return one;
}

/// As they are passed to the next process.
std::vector<Passed> passed_by(ServiceManager& manager) {
    std::vector<Passed> passed;
    for (ServiceManager::Kept& each : manager.take())
        passed.push_back({std::move(each.name), std::move(each.fd)});
    return passed;
}

bool is_connected(const FileDescriptor& here, const FileDescriptor& there) {
    const char sent = 'x';
    char received = 0;
    return ::send(here.get(), &sent, 1, MSG_NOSIGNAL) == 1 &&
           ::recv(there.get(), &received, 1, 0) == 1 && received == sent;
}

bool is_closed(const FileDescriptor& socket) {
    pollfd asked{.fd = socket.get(), .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, -1) == 1 && (asked.revents & POLLHUP) != 0;
}

} // namespace

TEST_CASE("sockets of attachments come back from the manager with what was unread", "[control]") {
    ServiceManager manager;
    Pair first;
    Pair second;
    std::vector<Attachment::Handed> all;
    all.push_back(handed(told(3, "a"), std::move(first.ours), {std::byte{0}, std::byte{255}}));
    all.push_back(handed(told(4, "b"), std::move(second.ours), {}));
    all.push_back({.told = told(5, "waiting"), .sockets = {}});
    keep_sockets(all);
    all.clear();

    auto passed = passed_by(manager);
    CHECK(passed.size() == 3);
    passed.push_back({"web", FileDescriptor(::dup(first.kernels.get()))});
    KeptSockets kept(passed);
    CHECK(passed.size() == 1); // of the others
    CHECK_FALSE(kept.empty());
    const auto back = kept.take();
    REQUIRE(back.size() == 2);
    CHECK(back[0].told.index == 3);
    CHECK(back[0].told.identifier == "a");
    CHECK(back[0].told.size == std::uint64_t{5} << 40U);
    CHECK(back[0].told.block_size == 4096);
    CHECK(back[0].told.flags == 0x10d);
    CHECK(back[0].told.timeout_s == 5);
    CHECK(back[0].told.dead_conn_timeout_s == 600);
    REQUIRE(back[0].sockets.size() == 1);
    CHECK(back[0].sockets[0].unread == std::vector<std::byte>{std::byte{0}, std::byte{255}});
    CHECK(back[1].sockets.at(0).unread.empty());
    CHECK(is_connected(back[0].sockets[0].fd, first.kernels));
    CHECK(is_connected(back[1].sockets[0].fd, second.kernels));
}

TEST_CASE("the manager has forgotten them before anybody reads on", "[control]") {
    ServiceManager manager;
    Pair pair;
    std::vector<Attachment::Handed> all;
    all.push_back(handed(told(3, "a"), std::move(pair.ours), {}));
    keep_sockets(all);
    auto passed = passed_by(manager);
    KeptSockets kept(passed);
    const auto is_removal = [](const std::string& text) {
        return text.starts_with("FDSTOREREMOVE=1\nFDNAME=interposed-attachment");
    };
    auto heard = manager.told();
    CHECK(std::count_if(heard.begin(), heard.end(), is_removal) == 0); // a start may still fail
    CHECK(kept.take().size() == 1);
    heard = manager.told();
    CHECK(std::count_if(heard.begin(), heard.end(), is_removal) == 2);
    CHECK(heard.back() == "BARRIER=1");
}

TEST_CASE("sockets that a manager may still have are closed for everybody", "[control]") {
    Pair pair;
    std::vector<Passed> passed;
    {
        ServiceManager manager;
        std::vector<Attachment::Handed> all;
        all.push_back(handed(told(3, "a"), std::move(pair.ours), {}));
        keep_sockets(all);
        passed = passed_by(manager);
    }
    const FileDescriptor managers(::dup(passed.back().fd.get()));
    KeptSockets kept(passed);
    CHECK(kept.take().empty()); // there is nobody to ask any more
    CHECK(is_closed(pair.kernels));
}

TEST_CASE("sockets whose description is missing or broken are closed for everybody", "[control]") {
    for (const bool is_there : {false, true}) {
        ServiceManager manager;
        Pair pair;
        const FileDescriptor managers(::dup(pair.ours.get()));
        std::vector<Passed> passed;
        passed.push_back({"interposed-attachment-1", std::move(pair.ours)});
        if (is_there) {
            FileDescriptor nonsense(::memfd_create("nonsense", MFD_CLOEXEC));
            REQUIRE(::write(nonsense.get(), "nonsense", 8) == 8);
            passed.push_back({"interposed-attachments", std::move(nonsense)});
        }
        KeptSockets kept(passed);
        CHECK(passed.empty());
        CHECK(kept.empty());
        CHECK(is_closed(pair.kernels));
        CHECK(kept.take().empty());
        CHECK(manager.told().back() == "BARRIER=1"); // it is to keep none of it
    }
}

TEST_CASE("a socket that the manager has closed meanwhile is missing, and the rest is there",
          "[control]") {
    ServiceManager manager;
    Pair first;
    Pair second;
    std::vector<Attachment::Handed> all;
    all.push_back(handed(told(3, "a"), std::move(first.ours), {}));
    all.push_back(handed(told(4, "b"), std::move(second.ours), {}));
    keep_sockets(all);
    auto passed = passed_by(manager);
    const auto is_first = [](const Passed& each) { return each.name == "interposed-attachment-1"; };
    REQUIRE(std::erase_if(passed, is_first) == 1);
    KeptSockets kept(passed);
    const auto back = kept.take();
    REQUIRE(back.size() == 1);
    CHECK(back[0].told.identifier == "b");
}

} // namespace interposed::control
