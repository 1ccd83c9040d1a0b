#!/usr/bin/env bash
# libnbd's clients (GnuTLS) come in over TLS, over TCP and Unix sockets, with certificates and with
# pre-shared keys, and copy the same bytes there and back; sessions tell of it.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdcopy nbdinfo
requires_python nbd
workdir

make_certificates
truncate -s 16M vol.img
serve_over_tls "$server_certificate, $client_authority, $pre_shared_keys"
head -c 16M /dev/urandom >data
for uri in "$(as_certificate alice)" "$(as_psk)" \
    "nbds://localhost:$port/vol?tls-certificates=$work/certs/client-alice" \
    "nbds://carol@127.0.0.1:$port/vol?tls-psk-file=$work/psk-dir/keys.psk"; do
    expect_eq "$(nbdinfo --size "$uri")" $((16 << 20)) "$uri"
    nbdcopy --connections=4 data "$uri"
    nbdcopy --connections=4 "$uri" back
    cmp data back
    head -c 16M /dev/zero | nbdcopy - "$uri"
done

control_python - "$(as_certificate alice)" <<'END'
import sys, nbd
from control_client import Control
client = nbd.NBD()
client.set_uri_allow_local_file(True)
client.connect_uri(sys.argv[3])
assert client.get_tls_negotiated()
session, = Control().call("session.list")["sessions"]
assert session["tls"].startswith("TLSv1.3 TLS_"), session
client.shutdown()
END
stop_server
