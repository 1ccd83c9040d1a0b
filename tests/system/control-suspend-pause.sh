#!/usr/bin/env bash
# What resume says of how long requests were held counts from the suspend on, whether it swaps a
# table in or not.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
workdir

truncate -s 1M a.img b.img
serve_exports "$(volume vol "$(linear "$work/a.img")")"
now() { date +%s.%N; }
held_at_least() { # SECONDS
    /usr/bin/python3 -c 'import sys; sys.exit(not float(sys.argv[1]) >= float(sys.argv[2]))' \
        "$(of "r['pause_s']" resume vol)" "$1" || fail "held for less than $1 s"
}
for with_table in no yes; do
    if [[ $with_table == yes ]]; then
        ctl load vol <(table "$(linear "$work/b.img")")
    fi
    ctl suspend vol
    begin=$(now)
    ctl ls
    held_at_least "$(/usr/bin/python3 -c 'import sys; print(float(sys.argv[2]) - float(sys.argv[1]))' \
        "$begin" "$(now)")"
done
expect_eq "$(status_of vol generation)" 2
stop_server
