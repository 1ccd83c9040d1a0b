#!/usr/bin/env bash
# An export that drains takes no new clients and lets those that it has go on; "drain --wait" returns
# when the last has gone. The same for all exports; and undone, they come in again.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
requires_python nbd
workdir

truncate -s 4M vol.img other.img
serve_exports "$(volume vol "$(linear "$work/vol.img")"), $(volume other "$(linear "$work/other.img")")"
comes_in() { nbdinfo --size "$(uri "$1")" >/dev/null 2>&1; }
expect_ctl 0 '0 connections left' drain other
! comes_in other || fail 'it drains, and takes clients'
expect_ctl 0 'no new clients' drain --wait other
expect_ctl 0 '' drain --undo other
comes_in other

start_load 1 "$(uri)" "$(uri)"
expect_ctl 0 '2 connections left' drain vol
expect_eq "$(status_of vol state)" draining
! comes_in vol || fail 'it drains, and takes clients'
ctl drain --wait >drained &
waiter=$!
at_exit kill_hard "$waiter"
other_drains() { [[ $(status_of other state) == draining ]]; }
eventually 30 other_drains || fail 'without a name it is not all exports'
expect_ctl 4 'has not happened in time' wait drained vol --timeout 0.1
kill -0 "$waiter" || fail 'drain --wait has returned, and there are clients'
stop_load
eventually 30 has_ended "$waiter" || fail 'drain --wait does not return'
wait "$waiter"
expect_in "$(<drained)" '0 connections left'
expect_ctl 0 'drained vol' wait drained vol --timeout 30
! comes_in vol && ! comes_in other || fail 'it takes clients again, and nobody has said so'
ctl drain --undo
comes_in vol && comes_in other || fail 'it takes no clients again'
expect_ctl 1 'no export is called "absent"' drain absent
expect_eq "$(status_of vol state)" live
stop_server
