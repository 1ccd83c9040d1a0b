#pragma once

#include "config/config.hpp"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace interposed::server {

/// Whom a TLS handshake has proven a client to be. Every string is a client's choice: the log
/// writes them escaped, and none is compared with anything but a rule's own text.
struct TlsIdentity {
    /// The distinguished name of a verified certificate, as RFC 4514 writes it: most specific
    /// first, special characters escaped ("CN=backup,O=Example"). Empty: no certificate, or one
    /// without a subject.
    std::string subject{};
    /// What else that certificate speaks for, in its own order: "dns:host.example.com",
    /// "email:a@b", "uri:spiffe://x/y", "ip:192.0.2.1", "ip:2001:db8::1". Kinds that have no such
    /// form are left out, and so is a name with a NUL byte in it.
    std::vector<std::string> alternative_names{};
    /// The value of the subject's last CN, which is its most specific, as UTF-8 and not escaped;
    /// empty: none, or one with a NUL byte in it.
    std::string common_name{};
    /// The identity of the pre-shared key; empty: none was used.
    std::string psk{};
};

/// Who has connected to a Unix socket, as the kernel saw it at that moment.
struct Credentials {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups; ///< the supplementary ones

    /// Of a connected Unix socket. nullopt: the kernel does not tell.
    static std::optional<Credentials> of(int fd);

    [[nodiscard]] bool in_group(gid_t group) const;
};

/// Who is at the other end of a connection, as far as the kernel knows, and TLS.
struct Peer {
    std::string name; ///< "127.0.0.1:4711", "unix pid 12 uid 0": for the log
    /// Whom connections are counted by: "127.0.0.1", "2001:db8::/64", "fe80::1%eth0", "uid 0".
    std::string client;
    std::optional<config::AddressRange> address; ///< a single address; absent for Unix sockets
    bool encrypted = false;                      ///< the TLS handshake is over
    std::optional<Credentials> unix_client{};    ///< absent for all other sockets
    /// Set when the TLS handshake is over, before an export is looked up again. Absent: no TLS, or
    /// a client that has not said who it is. Belongs to the connection's strand.
    std::optional<TlsIdentity> tls{};

    /// Of a connected socket. An IPv4 client of an IPv6 listener has its IPv4 address.
    static Peer of(int fd);
};

/// Whether both ends of a connected TCP socket have one address, which is how a host speaks with
/// itself.
bool is_of_this_host(int fd);

/// Whether a TCP socket is bound to a loopback address, where only this host reaches it.
bool is_on_loopback(int fd);

} // namespace interposed::server
