#!/usr/bin/env bash
# While there are clients, an export does not get smaller, want larger blocks or become read-only:
# the swap is refused, the clients go on, and the old table with its claims stays. Without clients
# it may.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
requires_loop_devices
workdir

truncate -s 8M small.img large.img less.img
small=$(loop_on small.img)
loop_on large.img --sector-size 4096 >/dev/null
serve_exports "$(volume vol "$(linear "$small")" '"claim": "shared"'),
    $(volume vol2 "$(linear "$work/less.img")")" '"state_dir": "state"'
table "$(linear "$loop")" >blocks.json
table "$(linear "$work/less.img" 0 16376)" >less.json
start_load 4 "$(uri)" "$(uri)"
/usr/bin/python3 "$tests/support/idle_client.py" "$(uri vol2)" >connected &
idle=$!
at_exit kill_hard "$idle"
eventually 30 test -s connected || fail 'the idle client does not come in'
refused_swap() { # EXPORT TABLE TEXT
    ctl load "$1" "$2"
    remember
    expect_no_trace "$3" resume "$1"
    ctl suspend "$1"
    expect_ctl 1 "$3" resume "$1"
    ctl clear "$1" && ctl resume "$1"
    expect_eq "$(status_of "$1" generation)" 1
}
refused_swap vol blocks.json 'want a minimum block size of at most the 512 bytes'
refused_swap vol2 less.json 'want at least the 8388608 bytes that its clients know of, found 8384512'
stop_load
kill_hard "$idle"
eventually 30 has_connections vol2 0
ctl load vol blocks.json && ctl resume vol
ctl load vol2 less.json && ctl resume vol2
expect_eq "$(status_of vol minimum_block) $(status_of vol2 size)" "4096 8384512"
stop_server
