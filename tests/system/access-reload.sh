#!/usr/bin/env bash
# A reload that changes rules is for clients that are connected too, and holds when it is answered: who
# may not stay goes, who may only read writes no more, and who may do more has to come again. A signal
# does the same.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/access.sh"
source "$tests/support/control.sh"
workdir

truncate -s 1M vol.img
port=$(free_port)
vol=$(volume vol "$(linear "$work/vol.img")")
listen_too="{\"tcp\": \"127.0.0.1:$port\"}" serve_exports "$vol"
control_python "$tests/support/reloaded_rules.py" "$port" config.json

expect_in "$(grep 'turned out' server.log)" 'there is none any more for address 127.0.0.2, no TLS'
mkfifo told go
/usr/bin/python3 - "nbd://127.0.0.1:$port/vol" "$tests/support" <<'END' &
import sys, nbd
sys.path.insert(0, sys.argv[2])
from what_may import connect
client = connect(sys.argv[1], "127.0.0.1")
print("connected", file=open("told", "w"))
open("go").read()
try:
    client.pread(512, 0)
except nbd.Error:
    sys.exit(0)
sys.exit("it was let stay")
END
client=$!
expect_eq "$(<told)" connected
sed -i 's/"name": "vol"/"allow": ["unix"], &/' config.json
hang_up
echo >go
wait "$client" || fail 'the signal has not turned a client out'
stop_server
