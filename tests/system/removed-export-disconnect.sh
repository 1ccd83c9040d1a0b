#!/usr/bin/env bash
# An export that is removed with --disconnect is gone at once, and its claim; clients that were
# disconnected come back when it is made again, and find what they wrote. Suspended or not.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/removals.sh"
requires_python nbd
workdir

serve_both
start_load 1 "--reconnect $(uri gone)" "--reconnect --simple $(uri gone)" "--at 0 $(uri)"
for verb in reload remove reload remove; do
    for suspended in no yes; do
        [[ $suspended == no ]] || ctl suspend gone
        take_away --disconnect
        is_gone || fail 'it is still there'
        bring_back
        eventually 60 has_connections gone 2 || fail 'the clients have not come back'
    done
done
stop_load
expect_eq "$(status_of vol generation)" 1
stop_server
