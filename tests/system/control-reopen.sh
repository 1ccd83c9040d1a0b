#!/usr/bin/env bash
# A flush that has failed keeps failing until "reopen", which says so as long as the device still
# fails, and lets flushes succeed once it works. Whoever waits for it is told; status has it; and
# nothing is suspended or swapped that cannot be flushed.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
source "$tests/support/breakable.sh"
requires_python nbd
workdir

breakable_file
truncate -s 1M good.img
serve_exports "$(volume vol "$(linear "$work/good.img" 0 2048), $(linear "$work/disk/nbd")")"
flushes() { expect_eq "$(write_and_flush)" "$1" flush; }
lost() { of "[d['flush_error'] for d in r['exports'][0]['devices']]" status vol; }
has_waiter() { ctl --json wait flush_error vol --timeout 60 >event.json; }
flushes ok
has_waiter &
waiter=$!
touch broken
flushes EIO # whether it waits already or not: what has failed is told to who asks later, too
wait "$waiter" || fail "waiting ends with $?"
expect_in "$(<event.json)" 'disk/nbd'
expect_ctl 0 'flush failed: Input/output error' wait flush_error vol
flushes EIO
expect_eq "$(lost)" "[None, 'Input/output error']"
expect_ctl 1 'still fails to flush: Input/output error' reopen vol
expect_ctl 1 'failed: Input/output error' suspend vol
ctl load vol <(table "$(linear "$work/good.img" 0 2048)" "$(linear "$work/disk/nbd" 0 2048)")
expect_ctl 1 'failed: Input/output error' resume vol
expect_eq "$(status_of vol state) $(status_of vol generation)" 'live 1'
rm broken
flushes EIO
expect_ctl 0 'forgot that a flush had failed: Input/output error' reopen vol
expect_eq "$(lost)" '[None, None]'
flushes ok
expect_ctl 0 'no flush had failed' reopen vol
ctl resume vol
flushes ok
stop_server
