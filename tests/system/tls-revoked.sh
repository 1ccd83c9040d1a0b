#!/usr/bin/env bash
# A certificate that is revoked does not let in any more, once the list was read again: whoever has
# it, and nobody else. Who is there already is told off by the operator.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo
requires_python nbd
workdir

make_certificates
truncate -s 1M vol.img
revocation_list revoked.pem
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys, \"crl\": \"revoked.pem\""
start_bystander bob

revocation_list revoked.pem certs/client-alice/client-cert.pem
nbdinfo --size "$(as_certificate alice)" >/dev/null || fail 'nothing was reloaded yet'
ctl reload
expect_in_vain nbdinfo --size "$(as_certificate alice)"
eventually 10 grep -q 'TLS: certificate verify failed: certificate revoked' server.log || fail 'not said why'
nbdinfo --size "$(as_certificate bob)"
nbdinfo --size "$(as_psk)"
stop_bystander
stop_server
