#!/usr/bin/env bash
# A reload turns out who has come in over TLS and is meant by no rule any more, and nobody else: who may
# still read goes on reading.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/access.sh"
source "$tests/support/tls.sh"
requires nbdinfo
workdir

make_certificates
rules='{"tls_common_name": "alice"}, {"tls_subject": "CN=bob", "access": "read_only"}'
serve_exports "$(export_for vol "$rules")" "\"tls\": {$server_certificate, $client_authority}"
sed 's/"tls_common_name": "alice"/"tls_common_name": "zoe"/' config.json >new.json
control_python - "$(as_certificate alice)" "$(as_certificate bob)" <<'END'
import os, sys, nbd
from control_client import Control
from what_may import connect, what_may
control, alice, bob = Control(), connect(sys.argv[3]), connect(sys.argv[4])
assert what_may(alice) == "read-write" and what_may(bob) == "read-only"
os.rename("new.json", "config.json")
control.call("reload")
assert what_may(bob) == "read-only"
try:
    for _ in range(1000):
        alice.pread(512, 0)
    raise SystemExit("alice still reads")
except nbd.Error:
    pass
END
expect_eq "$(seen_by "$(as_certificate alice)" vol)" 'vol: nothing'
stop_server
