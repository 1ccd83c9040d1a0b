#include "server/peer.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace interposed::server {

namespace {

using config::AddressRange;

/// What an address of a socket says of a host.
struct HostAddress {
    AddressRange address;
    std::string zone{};
    std::uint16_t port = 0;
};

AddressRange single_address(bool v6, const void* bytes) {
    AddressRange range;
    range.v6 = v6;
    std::memcpy(range.address, bytes, v6 ? 16 : 4);
    range.prefix_length = v6 ? 128 : 32;
    return range;
}

/// "%eth0" for a link-local address, which is another one on each interface; else nothing.
std::string zone_of(const sockaddr_in6& address) {
    if (!IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr))
        return {};
    std::array<char, IF_NAMESIZE> name{};
    const bool known = ::if_indextoname(address.sin6_scope_id, name.data()) != nullptr;
    return "%" + (known ? name.data() : std::to_string(address.sin6_scope_id));
}

/// nullopt: there is none, for the connection has gone.
std::optional<sockaddr_storage> ask_for_address(int fd, decltype(::getpeername) ask) {
    sockaddr_storage raw{};
    socklen_t length = sizeof raw;
    const bool found = ask(fd, reinterpret_cast<sockaddr*>(&raw), &length) == 0;
    return found ? std::optional(raw) : std::nullopt;
}

/// nullopt: not of IP. An IPv4 client of an IPv6 listener has its IPv4 address.
std::optional<HostAddress> host_address(const sockaddr_storage& raw) {
    if (raw.ss_family == AF_INET) {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(raw);
        return HostAddress{.address = single_address(false, &v4.sin_addr),
                           .port = ntohs(v4.sin_port)};
    }
    if (raw.ss_family != AF_INET6)
        return std::nullopt;
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(raw);
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
    return HostAddress{.address = mapped ? single_address(false, v6.sin6_addr.s6_addr + 12)
                                         : single_address(true, &v6.sin6_addr),
                       .zone = zone_of(v6),
                       .port = ntohs(v6.sin6_port)};
}

std::string address_text(const AddressRange& address, const std::string& zone) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(address.v6 ? AF_INET6 : AF_INET, address.address, text.data(), text.size());
    return address.v6 ? "[" + std::string(text.data()) + zone + "]" : text.data();
}

void name_unix_peer(int fd, Peer& peer) {
    peer.unix_client = Credentials::of(fd);
    if (!peer.unix_client) {
        peer.name = peer.client = "unix";
        return;
    }
    peer.client = "uid " + std::to_string(peer.unix_client->uid);
    peer.name = "unix pid " + std::to_string(peer.unix_client->pid) + " " + peer.client;
}

/// What cannot be had is left out: nobody is let in for it.
std::vector<gid_t> other_groups(int fd) {
    std::vector<gid_t> groups(64);
    for (;;) {
        auto length = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &length) == 0) {
            groups.resize(length / sizeof(gid_t));
            return groups;
        }
        if (errno != ERANGE || length / sizeof(gid_t) <= groups.size())
            return {};
        groups.resize(length / sizeof(gid_t));
    }
}

/// Of IPv6 a whole /64 is one host's to choose from; but all hosts of a link share the link-local
/// one.
std::string client_of(AddressRange address, const std::string& zone) {
    if (!zone.empty())
        return config::to_string(address) + zone;
    if (address.v6) {
        address.prefix_length = 64;
        std::fill(std::begin(address.address) + 8, std::end(address.address), std::uint8_t{0});
    }
    return config::to_string(address);
}

} // namespace

std::optional<Credentials> Credentials::of(int fd) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return std::nullopt;
    return Credentials{.pid = credentials.pid,
                       .uid = credentials.uid,
                       .gid = credentials.gid,
                       .groups = other_groups(fd)};
}

bool Credentials::in_group(gid_t group) const {
    return group == gid || std::find(groups.begin(), groups.end(), group) != groups.end();
}

Peer Peer::of(int fd) {
    Peer peer;
    const auto raw = ask_for_address(fd, ::getpeername);
    if (!raw) {
        // Already gone. Whoever it was, it is nobody that a rule could mean.
        peer.name = peer.client = "gone";
    } else if (const auto host = host_address(*raw)) {
        peer.address = host->address;
        peer.client = client_of(host->address, host->zone);
        peer.name = address_text(host->address, host->zone) + ":" + std::to_string(host->port);
    } else {
        name_unix_peer(fd, peer);
    }
    return peer;
}

bool is_of_this_host(int fd) {
    const auto here = ask_for_address(fd, ::getsockname);
    const auto there = ask_for_address(fd, ::getpeername);
    const auto host = here ? host_address(*here) : std::nullopt;
    const auto peer = there ? host_address(*there) : std::nullopt;
    return host && peer && host->address == peer->address;
}

bool is_on_loopback(int fd) {
    static const AddressRange loopbacks[] = {config::parse_range("127.0.0.0/8"),
                                             config::parse_range("::1")};
    const auto here = ask_for_address(fd, ::getsockname);
    const auto host = here ? host_address(*here) : std::nullopt;
    return host && std::any_of(std::begin(loopbacks), std::end(loopbacks), [&](const auto& each) {
               return config::contains(each, host->address);
           });
}

} // namespace interposed::server
