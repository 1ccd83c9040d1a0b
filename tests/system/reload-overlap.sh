#!/usr/bin/env bash
# A reload never lets two exports write to the same bytes: neither where the one that is removed
# still has clients, nor where the other table of an export is loaded and only has to be resumed.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M a.img b.img c.img
a=$(volume a "$(linear "$work/a.img")") b=$(volume b "$(linear "$work/b.img")")
renamed=$(volume renamed "$(linear "$work/a.img")")
serve_exports "$a, $b"
start_load 1 "$(uri a)"
write_exports "$renamed, $b"
remember
expect_no_trace 'has 1 connection' reload
expect_no_trace 'overlap' reload --drain
ctl load b <(table "$(linear "$work/c.img")")
write_exports "$a, $b, $(volume c "$(linear "$work/c.img")")"
remember
expect_no_trace 'overlap' reload --runtime-wins
ctl reload --configuration-wins
expect_eq "$(status_of b inactive) $(names)" 'None a b c'
stop_load

# Without clients, or with clients that are disconnected first, one gets what the other had.
write_exports "$renamed, $b"
ctl reload
start_load 1 "--reconnect $(uri renamed)"
write_exports "$a, $b"
ctl reload --disconnect
expect_eq "$(names)" 'a b'
write_exports "$renamed, $b"
ctl reload
stop_load
# Two that swap their devices do so at once.
write_exports "$(volume renamed "$(linear "$work/b.img")"), $(volume b "$(linear "$work/a.img")")"
ctl reload
expect_eq "$(of "r['segments'][0]['device']" table b)" "$work/a.img"
stop_server
