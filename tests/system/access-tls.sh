#!/usr/bin/env bash
# What TLS has proven of a client decides what it may do, and what it sees: the names in its
# certificate, or its pre-shared key. Who comes in the clear, or with another name, sees nothing, on
# the same listener.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/access.sh"
source "$tests/support/tls.sh"
requires nbdinfo
workdir

make_certificates
named='{"tls_common_name": "alice"}, {"tls_subject": "CN=bob", "access": "read_only"}'
serve_exports "$(export_for named "$named"), $(export_for keyed '{"psk": "carol"}, {"tls_san": "dns:bob"}'),
    $(export_for both '{"psk": "carol", "address": "127.0.0.1"}'), $(export_for open)" \
    "\"tls\": {\"mode\": \"offer\", $server_certificate, $client_authority, $pre_shared_keys}"

expect_eq "$(seen_by "$(as_certificate alice)" named keyed both open)" \
    $'named: read-write\nkeyed: nothing\nboth: nothing\nopen: read-write\nnamed open'
expect_eq "$(seen_by "$(as_certificate bob)" named keyed both open)" \
    $'named: read-only\nkeyed: read-write\nboth: nothing\nopen: read-write\nkeyed named open'
expect_eq "$(seen_by "$(as_psk)" named keyed both open)" \
    $'named: nothing\nkeyed: read-write\nboth: nothing\nopen: read-write\nkeyed open'
expect_eq "$(seen_by "$(uri)" named keyed both open)" \
    $'named: nothing\nkeyed: nothing\nboth: nothing\nopen: read-write\nopen'
expect_in "$(<server.log)" 'export "named": denied: want what one of the 2 rules of its "allow" lets in'
expect_in "$(<server.log)" 'PSK identity "carol"'
stop_server
