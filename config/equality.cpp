#include "config/config.hpp"

/// What means the same. Each comparison takes the whole structure apart, so that it does not
/// compile any more when a member is added and not thought of.
namespace interposed::config {

bool operator==(const Account& a, const Account& b) {
    const auto& [name, place] = a;
    return name == b.name;
}

bool operator==(const AccessRule& a, const AccessRule& b) {
    const auto& [address, unix_socket, user, group, tls_subject, tls_common_name, tls_san, psk,
                 access, place] = a;
    return address == b.address && unix_socket == b.unix_socket && user == b.user &&
           group == b.group && tls_subject == b.tls_subject &&
           tls_common_name == b.tls_common_name && tls_san == b.tls_san && psk == b.psk &&
           access == b.access;
}

bool operator==(const Listener& a, const Listener& b) {
    const auto& [tcp, unix_socket, tls, allow, systemd, place] = a;
    return tcp == b.tcp && unix_socket == b.unix_socket && tls == b.tls && allow == b.allow &&
           systemd == b.systemd;
}

bool operator==(const Tls& a, const Tls& b) {
    const auto& [mode, certificate, key, ca, crl, client_certificate_required, psk, min_version,
                 place] = a;
    return mode == b.mode && certificate == b.certificate && key == b.key && ca == b.ca &&
           crl == b.crl && client_certificate_required == b.client_certificate_required &&
           psk == b.psk && min_version == b.min_version;
}

bool operator==(const Segment& a, const Segment& b) {
    const auto& [device, start, offset, length, place] = a;
    return device == b.device && start == b.start && offset == b.offset && length == b.length;
}

bool operator==(const Attach& a, const Attach& b) {
    const auto& [device, connections, timeout_s, dead_conn_timeout_s, block_size, identifier,
                 place] = a;
    return device == b.device && connections == b.connections && timeout_s == b.timeout_s &&
           dead_conn_timeout_s == b.dead_conn_timeout_s && block_size == b.block_size &&
           identifier == b.identifier;
}

bool operator==(const Interposition& a, const Interposition& b) {
    const auto& [volume, uuid, before, after, since, state, fail_open, place] = a;
    return volume == b.volume && uuid == b.uuid && before == b.before && after == b.after &&
           since == b.since && state == b.state && fail_open == b.fail_open;
}

bool operator==(const Export& a, const Export& b) {
    const auto& [name, description, claim, cache, read_only, optional, requires_tls, kernel_only,
                 allow, table, max_connections, qos, attach, interposed, place] = a;
    return name == b.name && description == b.description && claim == b.claim && cache == b.cache &&
           read_only == b.read_only && optional == b.optional &&
           requires_tls == b.requires_tls && kernel_only == b.kernel_only && allow == b.allow &&
           table == b.table && max_connections == b.max_connections && qos == b.qos &&
           attach == b.attach && interposed == b.interposed;
}

bool operator==(const Control& a, const Control& b) {
    const auto& [socket, users, groups, place] = a;
    return socket == b.socket && users == b.users && groups == b.groups;
}

bool operator==(const RunAs& a, const RunAs& b) {
    const auto& [user, group, groups, attach, place] = a;
    return user == b.user && group == b.group && groups == b.groups && attach == b.attach;
}

bool operator==(const Metrics& a, const Metrics& b) {
    const auto& [listen, place] = a;
    return listen == b.listen;
}

} // namespace interposed::config
