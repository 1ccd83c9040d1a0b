#!/usr/bin/env bash
# A service manager is told when the server is ready, that it reloads, as systemd wants it with the
# time of the signal, that it is ready again, also after a reload that was refused, and that it stops.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 1M vol.img
/usr/bin/python3 - >told.txt <<'END' &
import socket
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("notify.sock")
while True:
    print(manager.recv(4096).decode().replace("\n", " "), flush=True)
END
at_exit kill_hard "$!"
eventually 30 test -S notify.sock || fail 'no manager'
export NOTIFY_SOCKET=$PWD/notify.sock
told_is() { [[ $(sed -E '/^STATUS=/d; s/ (MONOTONIC_USEC|MAINPID|STATUS)=.*$//' told.txt | xargs) == "$1" ]]; }
expect_told() { eventually 30 told_is "$1" || fail "told: want $1, found $(<told.txt)"; }

serve_exports "$(volume vol "$(linear "$work/vol.img")")"
expect_told 'READY=1'
hang_up
expect_told 'READY=1 RELOADING=1 READY=1'
before=$(/usr/bin/python3 -c 'import time; print(time.monotonic_ns() // 1000)')
echo nonsense >config.json
hang_up
expect_told 'READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1'
grep -qx "READY=1 MAINPID=$server STATUS=serving 1 export at unix://$work/nbd.sock" told.txt ||
    fail "want it said what is served: $(<told.txt)"
tail -n 1 told.txt | grep -q '; not reloaded, see the log$' || fail "want it said: $(<told.txt)"
after=$(/usr/bin/python3 -c 'import time; print(time.monotonic_ns() // 1000)')
usec=$(sed -n 's/.*RELOADING=1.*MONOTONIC_USEC=//p' told.txt | tail -n 1)
((before <= usec && usec <= after)) || fail "want $before to $after us, found $usec"
stop_server
expect_told 'READY=1 RELOADING=1 READY=1 RELOADING=1 READY=1 STOPPING=1'
