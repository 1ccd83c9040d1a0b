#!/usr/bin/env bash
# An export that a client may not use cannot be told from one that there is not: a server with such
# exports says, byte by byte, what one without them says, to every option and to an empty name.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
workdir

answers_of() { # EXPORT...
    local IFS=,
    echo "{\"listen\": \"unix://$work/nbd.sock\", \"exports\": [$*]}" >config.json
    start_server config.json
    raw_python "$tests/support/unseen_exports.py" nbd.sock
    stop_server
}
strangers='"192.0.2.0/24", {"psk": "alice"}, {"user": "backup"}, {"tls_subject": "CN=a,O=b"}'
kernel=$(export_for kernel | sed 's/"name"/"kernel_only": true, &/')
answers_of "$(export_for open)" >without.txt
answers_of "$(export_for hidden "$strangers")" "$(export_for open)" "$kernel" \
    "$(export_for '' "$strangers")" >with.txt
cmp without.txt with.txt
# The names that are known and those that are not, on one server.
for name in hidden kernel absent; do grep "^'$name'" with.txt | sed 's/^[^ ]* //' >"$name.txt"; done
cmp hidden.txt absent.txt
cmp kernel.txt absent.txt
! cmp -s absent.txt <(grep "^'open'" with.txt | sed 's/^[^ ]* //') || fail 'nothing is told at all'
grep -qF 'export "hidden": denied: ' server.log
grep -qF 'export "absent": there is none of that name: asked for by uid 0' server.log
