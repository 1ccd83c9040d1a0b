#include "control/hand_over.hpp"

#include "control/told_text.hpp"
#include "server/peer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <future>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>

namespace interposed::control {

namespace {

using Json = nlohmann::json;
using devices::FileDescriptor;
namespace service = server::service;

constexpr std::size_t longest_description = 8192;
constexpr std::size_t largest_packet = longest_description + (std::size_t{512} << 10);
constexpr int buffer = 4 << 20;
constexpr char taken = 'y';
/// And the next server wants the manager of this one.
constexpr char taken_with_manager = 'm';

[[noreturn]] void fail(const char* what) {
    throw std::system_error(errno, std::generic_category(), std::string("hand-over: ") + what);
}

[[noreturn]] void refuse(const std::string& why) {
    throw std::runtime_error("hand-over: " + why);
}

struct Address {
    sockaddr_un name{};
    socklen_t length = 0;

    /// In the abstract namespace: nothing stays behind.
    explicit Address(const std::string& text) {
        name.sun_family = AF_UNIX;
        if (text.empty() || text.size() >= sizeof name.sun_path)
            refuse("want an address of 1 to 107 bytes, found " + std::to_string(text.size()));
        std::memcpy(name.sun_path + 1, text.data(), text.size());
        length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
    }
    [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&name); }
};

FileDescriptor make_socket() {
    FileDescriptor made(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (!made)
        fail("socket");
    if (::setsockopt(made.get(), SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer) != 0)
        (void)::setsockopt(made.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
    return made;
}

/// Whoever gets the sockets answers for the data.
server::Credentials check_peer(int socket, std::optional<uid_t> user = std::nullopt) {
    const auto peer = server::Credentials::of(socket);
    if (!peer)
        fail("SO_PEERCRED");
    if (peer->uid != 0 && peer->uid != ::geteuid() && peer->uid != user)
        refuse("want root or this server's own user at the other end, found uid " +
               std::to_string(peer->uid));
    return *peer;
}

/// At most one descriptor goes with a packet.
struct Control {
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

void send_packet(int socket, const std::string& description, std::span<const std::byte> data,
                 int descriptor) {
    const std::size_t length = description.size() + 1; // its NUL ends it
    std::array<iovec, 2> parts{{{const_cast<char*>(description.c_str()), length},
                                {const_cast<std::byte*>(data.data()), data.size()}}};
    Control control;
    msghdr header{};
    header.msg_iov = parts.data();
    header.msg_iovlen = parts.size();
    if (descriptor >= 0) {
        header.msg_control = control.bytes.data();
        header.msg_controllen = control.bytes.size();
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int));
        std::memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
    }
    if (::sendmsg(socket, &header, MSG_NOSIGNAL) < 0)
        fail("sending");
}

struct Packet {
    std::string description;
    server::HandedSocket socket;
};

FileDescriptor descriptor_in(msghdr& header) {
    const cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
        return FileDescriptor();
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(rights), sizeof descriptor);
    return FileDescriptor(descriptor);
}

Packet receive_packet(int socket) {
    std::vector<std::byte> bytes(largest_packet);
    iovec part{bytes.data(), bytes.size()};
    Control control;
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.bytes.data();
    header.msg_controllen = control.bytes.size();
    const ssize_t got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    if (got < 0)
        fail("receiving");
    if (got == 0)
        refuse("the server that runs has gone in the middle of it");
    Packet packet{.description = {}, .socket = {.fd = descriptor_in(header), .unread = {}}};
    bytes.resize(static_cast<std::size_t>(got));
    const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    if (end == bytes.end() || (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        refuse("want whole packets, found one that was cut off");
    packet.description.assign(reinterpret_cast<const char*>(bytes.data()),
                              static_cast<std::size_t>(end - bytes.begin()));
    packet.socket.unread.assign(end + 1, bytes.end());
    return packet;
}

void add(std::vector<Attachment::Handed>& all, const Json& json, Packet packet) {
    attach::KernelExport told = told_in(json);
    if (!packet.socket.fd)
        refuse("want a socket with " + packet.description + ", found none");
    auto known = std::find_if(all.begin(), all.end(), [&told](const auto& each) {
        return each.told.identifier == told.identifier;
    });
    if (known == all.end()) {
        all.push_back({.told = std::move(told), .sockets = {}});
        known = std::prev(all.end());
    }
    known->sockets.push_back(std::move(packet.socket));
}

/// The last packet: that this is all, and who manages the service.
std::string last_word() {
    Json last{{"end", true}};
    if (const auto manager = service::manager())
        last["manager"] = {{"socket", manager->socket}, {"watchdog_us", manager->watchdog.count()}};
    return last.dump();
}

std::optional<service::Manager> manager_in(const Json& last) {
    const auto found = last.find("manager");
    if (found == last.end())
        return std::nullopt;
    return service::Manager{
        .socket = found->at("socket"),
        .watchdog = std::chrono::microseconds(found->at("watchdog_us").get<std::int64_t>())};
}

TakenOver receive_all(int socket) {
    TakenOver received;
    for (;;) {
        Packet packet = receive_packet(socket);
        const Json json = Json::parse(packet.description);
        if (json.contains("end")) {
            if (!service::manager()) // else there is one that is asked already
                received.manager = manager_in(json);
            return received;
        }
        add(received.all, json, std::move(packet));
    }
}

/// Nobody else can guess it and be there first.
std::string fresh_address() {
    std::random_device random;
    return "interposed-hand-over-" + std::to_string(::getpid()) + "-" + std::to_string(random()) +
           std::to_string(random());
}

} // namespace

HandOver::HandOver(const std::string& address) : socket_(make_socket()) {
    const Address to(address);
    if (::connect(socket_.get(), to.get(), to.length) != 0)
        fail("reaching the next server");
    check_peer(socket_.get());
}

void HandOver::send(const std::vector<Attachment::Handed>& all) {
    for (const Attachment::Handed& each : all) {
        for (const server::HandedSocket& socket : each.sockets)
            send_packet(socket_.get(), to_json(each.told).dump(), socket.unread, socket.fd.get());
    }
    send_packet(socket_.get(), last_word(), {}, -1);
}

bool HandOver::is_taken() {
    char answer = 0;
    if (::recv(socket_.get(), &answer, 1, 0) != 1 ||
        (answer != taken && answer != taken_with_manager))
        return false;
    if (answer == taken_with_manager)
        successor_ = check_peer(socket_.get()).pid;
    return ::send(socket_.get(), &taken, 1, MSG_NOSIGNAL) == 1;
}

std::function<bool()> HandOver::giving_up() {
    return [fd = socket_.get()] {
        ::shutdown(fd, SHUT_RDWR);
        return false;
    };
}

void HandOver::keep_until_exit() {
    (void)socket_.release();
}

TakenOver take_over(const std::function<bool(const std::string& address)>& ask,
                    std::optional<uid_t> user) {
    const FileDescriptor listening = make_socket();
    const std::string address = fresh_address();
    const Address here(address);
    if (::bind(listening.get(), here.get(), here.length) != 0 || ::listen(listening.get(), 1) != 0)
        fail("listening");
    // Received while it is asked: the other one answers when it has sent everything.
    FileDescriptor connected;
    auto received = std::async(std::launch::async, [&] {
        connected = FileDescriptor(::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!connected)
            return TakenOver{};
        check_peer(connected.get(), user);
        return receive_all(connected.get());
    });
    const auto give_up = [&] {
        ::shutdown(listening.get(), SHUT_RDWR); // accept4() returns
        received.wait();
    };
    try {
        if (!ask(address)) {
            give_up();
            return {};
        }
    } catch (...) {
        give_up();
        throw;
    }
    TakenOver taken_over = received.get();
    const char word = taken_over.manager ? taken_with_manager : taken;
    if (::send(connected.get(), &word, 1, MSG_NOSIGNAL) != 1)
        fail("telling the server that runs to stop");
    char answer = 0;
    if (::recv(connected.get(), &answer, 1, 0) != 1 || answer != taken)
        refuse("the server that runs goes on by itself");
    while (::recv(connected.get(), &answer, 1, 0) > 0) {
    }
    return taken_over;
}

} // namespace interposed::control
