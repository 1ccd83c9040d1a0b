#!/usr/bin/env bash
# kill -9 at twenty random moments of loading, swapping, creating and removing: each time the server
# comes up again with what was answered, and of what was not with the one or the other; no write of
# clients that come back and send again what was not answered is lost.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 16M a.img b.img
truncate -s 1M extra-{0,1,2,3}.img
a=$work/a.img b=$work/b.img
table "$(linear "$a" 0 32768)" "$(linear "$b")" >2.json
table "$(linear "$a" 0 32768)" "$(linear "$b" 0 9)" "$(linear "$b" 9 32759)" >3.json
table "$(linear "$a" 0 1)" "$(linear "$a" 1 5000)" "$(linear "$a" 5001 27767)" \
    "$(linear "$b" 0 8192)" "$(linear "$b" 8192 24576)" >5.json
serve_exports "$(volume vol "$(linear "$a" 0 32768), $(linear "$b")")" '"state_dir": "state"'
start_load 16 "--reconnect $(uri)" "--reconnect --simple $(uri)"
changes() { control_python "$tests/support/killed_changes.py" "$@" 2.json 3.json 5.json; }
RANDOM=1
for turn in {1..20}; do
    rm -f changing
    changes change "$turn" 2>changes.log &
    changing=$!
    at_exit kill_hard "$changing"
    eventually 30 test -e changing || fail "no changes: $(<changes.log)"
    sleep "0.$(printf %03d $((RANDOM % 300)))"   # the moment is random, nothing waits for it
    kill_server
    wait "$changing" || fail "changes: $(<changes.log)"
    touch "state/export-$((90 + turn)).json.new" # as if it were killed while writing that
    start_server config.json
    changes check 0
    expect_eq "$(find state -name '*.new')" '' 'what was left half written'
done
stop_load
stop_server
cat part-{0,1}.img | cmp - <(cat a.img b.img)
