#!/usr/bin/env bash
# Certificates, keys and the mode are read again on a reload: they count for whoever comes after it,
# and who is there stays. Files that are wrong are refused, and the old ones go on counting.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo
requires_python nbd
workdir

make_certificates
truncate -s 1M vol.img
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys"
start_bystander alice

cp certs/client-bob/client-key.pem certs/server/server-key.pem # of another certificate
expect_ctl 1 'tls.key' reload
nbdinfo --size "$(as_certificate bob)" >/dev/null || fail 'the old key is gone'
echo 'carol:00' >certs/server/keys.psk
expect_ctl 1 'tls.psk: ' reload
nbdinfo --size "$(as_psk)" >/dev/null || fail 'the old pre-shared keys are gone'

rm -r certs psk-dir                                            # another authority altogether
make_certificates
expect_in_vain nbdinfo --size "$(as_certificate alice)"
ctl reload
nbdinfo --size "$(as_certificate alice)"
nbdinfo --size "$(as_psk)"

sed -i 's/"tls": {"cert/"tls": {"mode": "offer", "cert/' config.json
expect_in_vain nbdinfo --size "$(uri)"
ctl reload
nbdinfo --size "$(uri)"                                        # now in the clear as well
stop_bystander
stop_server
