#!/usr/bin/env bash
# A client that stalls in the TLS handshake is sent away at the deadline of all handshakes, wherever
# it stalls, and holds up nobody meanwhile.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/tls.sh"
requires nbdinfo
workdir

make_certificates
truncate -s 1M vol.img
serve_over_tls "$server_certificate, $pre_shared_keys" '"limits": {"handshake_timeout_s": 2}'
before=$(descriptors)
raw_python - "$work/nbd.sock" <<'END' & # silent behind the ACK, and in the middle of a record
import socket, struct, sys
stalled = []
for begun in (b"", b"\x16", b"\x16\x03\x01\x02\x00" + bytes(100)):
    link = socket.socket(socket.AF_UNIX)
    link.settimeout(60)
    link.connect(sys.argv[1])
    link.recv(18, socket.MSG_WAITALL)
    link.sendall(struct.pack(">IQII", 3, 0x49484156454F5054, 5, 0))
    assert struct.unpack(">QIII", link.recv(20, socket.MSG_WAITALL))[2] == 1
    link.sendall(begun)
    stalled.append(link)
open("stalled", "w")
for link in stalled:
    while link.recv(4096): pass # an alert, at most, and then the end
END
client=$!
eventually 30 test -e stalled || fail 'no client has stalled'
nbdinfo --size "$(as_psk)"
wait "$client" || fail 'a client that stalled was not sent away'
eventually 30 has_descriptors "$before" || fail "want $before descriptors, found $(descriptors)"
stop_server
