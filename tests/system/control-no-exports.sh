#!/usr/bin/env bash
# A server starts without any export, and is well: it lists none, is given one, keeps it over a
# restart, serves it, and has none again. A reload may take the last one away as well.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires nbdinfo
workdir

truncate -s 4M vol.img
write_exports '' '"state_dir": "state"'
expect_eq "$("$INTERPOSED" --check config.json)" 'no exports'
start_server config.json
listed() { nbdinfo --list "$(uri '')" 2>&1 | grep -c '^export=' || true; }
expect_eq "$(names)" ''
expect_eq "$(listed)" 0 'exports for clients'
! nbdinfo --size "$(uri '')" >/dev/null 2>&1 || fail 'there is a default export'
for verb in status sessions statistics metrics 'top --count 1' 'drain --wait' 'drain --undo' reload; do
    # shellcheck disable=SC2086  # words are meant
    expect_ctl 0 '' $verb
done

ctl create <(volume vol "$(linear "$work/vol.img")")
stop_server
start_server config.json
expect_eq "$(nbdinfo --size "$(uri)")" "$((4 << 20))" 'size after a restart'
ctl remove vol
expect_eq "$(names)" ''

write_exports "$(volume vol "$(linear "$work/vol.img")")" '"state_dir": "state"'
hang_up
expect_eq "$(names) $(listed)" 'vol 1'
write_exports '' '"state_dir": "state"'
hang_up
expect_eq "$(names) $(listed)" ' 0'
stop_server
