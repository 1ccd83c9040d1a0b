#!/usr/bin/env bash
# Six who change the same exports at once, with every verb there is: each change is done or refused,
# none is left half done, and clients notice nothing.
source "$(dirname "$0")/../support/functions.sh"
source "$tests/support/control.sh"
requires_python nbd
workdir

truncate -s 4M a.img b.img
truncate -s 1M extra-{0,1,2}.img
a=$work/a.img b=$work/b.img
table "$(linear "$a" 0 8192)" "$(linear "$b")" >2.json
table "$(linear "$a" 0 8192)" "$(linear "$b" 0 9)" "$(linear "$b" 9 8183)" >3.json
table "$(linear "$a" 0 1)" "$(linear "$a" 1 8191)" "$(linear "$b" 0 77)" "$(linear "$b" 77 8115)" >4.json
serve_exports "$(volume vol "$(linear "$a" 0 8192), $(linear "$b")")" '"state_dir": "state"'
start_load 4 "$(uri)" "--simple $(uri)"
control_python "$tests/support/control_storm.py" 200 1 2.json 3.json 4.json
expect_eq "$(find state -name '*.json*')" ''
for extra in extra-*.img; do is_free_file "$extra" || fail "$extra is still claimed"; done
stop_load
! grep 'not closed yet' server.log || fail 'what is not used any more was kept open'
cat part-{0,1}.img | cmp - <(cat a.img b.img)
stop_server
