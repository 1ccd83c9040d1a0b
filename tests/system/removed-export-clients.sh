#!/usr/bin/env bash
# What becomes of clients of an export that a reload removes, or a verb: it is refused, or they stay
# and are the last; and the claim goes with the export.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/removals.sh"
requires nbdinfo
requires_python nbd
workdir

serve_both
for verb in reload remove; do
    start_load 1 "$(uri gone)" "$(uri gone)" "--at 0 $(uri)"
    ! take_away 2>said || fail "$verb: not refused"
    expect_in "$(<said)" '2 connections'
    expect_eq "$(names)" 'gone vol'
    nbdinfo --size "$(uri gone)" >/dev/null || fail 'it takes no new clients although it was refused'
    eventually 30 has_connections gone 2
    take_away --drain
    expect_eq "$(status_of gone state) $(status_of gone connections)" 'draining 2'
    ! nbdinfo --size "$(uri gone)" >/dev/null 2>&1 || fail 'it takes new clients while it drains'
    stop_load
    eventually 30 is_gone || fail 'it has not gone with its last client'
    bring_back
done
stop_server
