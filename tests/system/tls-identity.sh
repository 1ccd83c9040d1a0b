#!/usr/bin/env bash
# Whoever cannot prove who it is does not come in, and nobody else notices: no certificate, one of
# another authority, an unknown pre-shared key, a wrong one, no TLS at all. No secret is logged.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo
requires_python nbd
workdir

make_certificates
truncate -s 1M vol.img
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys"
start_bystander bob
nbdinfo --size "$(as_certificate alice)"
nbdinfo --size "$(as_psk)"
expect_in_vain nbdinfo --size "$(uri)"                                 # in the clear
expect_in_vain nbdinfo --size "nbds+unix:///vol?socket=$work/nbd.sock" # without a certificate

"$tests/../tools/interposed-tls-init" others --client alice >others.txt
cp certs/ca-cert.pem others/client-alice/             # it knows the server; the server not it
expect_in_vain nbdinfo --size "$(uri | sed s/nbd+/nbds+/)&tls-certificates=$work/others/client-alice"
expect_in_vain nbdinfo --size "$(as_psk mallory)"     # of whom nobody has heard
sed -i 's/:..../:0000/' psk-dir/keys.psk
expect_in_vain nbdinfo --size "$(as_psk)"             # who has heard the name, and not the key
stop_bystander
for secret in $(cut -d: -f2 certs/server/keys.psk) "$(sed -n 2p certs/server/server-key.pem)"; do
    ! grep -qF "$secret" server.log || fail 'a secret in the log'
done
stop_server
