#!/usr/bin/env bash
# The next version, started by hand, goes on under the service manager of the one that it takes over
# from: that watches the new process, hears that it is ready and alive, and not that the service stops.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/service.sh"
requires nbdinfo
workdir

truncate -s 1M vol.img
write_exports "$(volume vol "$(linear "$work/vol.img")")"
start_managed --watchdog-us 1000000 -- config.json
expect_told "READY=1 MAINPID=$server STATUS=serving 1 export at unix://$work/nbd.sock"
old=$server
: >new.log
"$INTERPOSED" --take-over config.json 2>new.log &
new=$!
at_exit kill_hard "$new"
expect_told "MAINPID=$new"
expect_told "READY=1 MAINPID=$new STATUS=serving 1 export at unix://$work/nbd.sock"
has_ended "$old" || fail 'the old server is still there'
expect_eq "$(<main)" "$new" 'whom the manager watches'
pings=$(times_told WATCHDOG=1)
eventually 60 is_told_more WATCHDOG=1 $((pings + 2)) || fail 'the manager is not told that it is alive'
expect_eq "$(nbdinfo --size "$(uri)")" $((1 << 20)) 'size'
expect_eq "$(times_told 'STOPPING=1.*')" 0 'times that it was said to stop'
kill -HUP "$new"
expect_told 'RELOADING=1 MONOTONIC_USEC=[0-9]+'
stop_managed
expect_told 'STOPPING=1 STATUS=.*'
