#!/usr/bin/env bash
# A TLS client that is killed in the middle of replies leaves nothing behind, and one that does not
# read them holds up nobody.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo
requires_python nbd
workdir

make_certificates
truncate -s 64M vol.img
serve_over_tls "$server_certificate, $pre_shared_keys"
nbdinfo --size "$(as_psk)"
before=$(descriptors)
for how in kill stop; do
    /usr/bin/python3 - "$(as_psk)" <<'END' &
import sys, nbd
client = nbd.NBD()
client.set_uri_allow_local_file(True)
client.connect_uri(sys.argv[1])
for i in range(16):
    client.aio_pread(nbd.Buffer(1 << 20), 0)
open("busy", "w")
while True: client.poll(-1)
END
    client=$!
    eventually 30 test -e busy || fail 'the client does not begin'
    [[ $how == kill ]] || kill -STOP "$client"
    nbdinfo --size "$(as_psk)" >/dev/null || fail 'held up by another'
    kill_hard "$client"
    rm busy
done
eventually 30 has_descriptors "$before" || fail "want $before descriptors, found $(descriptors)"
stop_server
