#!/usr/bin/env bash
# An export that goes with its last client is not changed any more, and what is said of it stays true:
# no verb brings it back, neither now nor after a restart. One that only drains is as before.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M a.img b.img
a=$(volume a "$(linear "$work/a.img")") b=$(volume b "$(linear "$work/b.img")")
serve_exports "$a, $b" '"state_dir": "state"'
goes() { [[ $(names) == a ]]; }
echo "$b" >b.def
table "$(linear "$work/b.img" 0 8)" "$(linear "$work/b.img" 8)" >b.json
start_load 1 "$(uri b)"
ctl drain b
write_exports "$a" '"state_dir": "state"'
remember
expect_no_trace '"b" is to go and has 1 connection' reload
write_exports "$a, $b" '"state_dir": "state"'

ctl remove --drain b
remember
for verb in 'load b b.json' 'resize b' 'qos b --iops 100000' 'drain --undo b' 'create b.def' \
    'reload --configuration-wins'; do
    # shellcheck disable=SC2086  # words are meant
    expect_no_trace '"b"' $verb
done
expect_eq "$(status_of b state) $(status_of b connections)" 'draining 1'
stop_load
eventually 30 goes || fail 'it has not gone with its last client'
stop_server && start_server config.json
expect_eq "$(names)" a
is_free_file b.img || fail 'what was removed is claimed'
# Created anew, as the configuration has it, it is as if nothing had happened.
ctl create b.def
expect_eq "$(status_of b changed)" False
expect_ctl 0 '2 exports unchanged' reload
expect_ctl 0 '2 exports unchanged' reload --runtime-wins
stop_server
